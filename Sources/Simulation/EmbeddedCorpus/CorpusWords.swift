/// The vocabulary of the embedded corpus.
enum CorpusWords {
    /// The words of a text, separated by white space.
    static func list(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Words that count for the `sentiment` taste.
    static let good = [goodAdjectives, goodNouns, goodVerbs, goodManner, goodMoods].flatMap { $0 }
    /// Words that count against it.
    static let bad = [badAdjectives, badNouns, badVerbs, badManner, badMoods].flatMap { $0 }
    /// Words of the first person, for the taste `voice`.
    static let firstPerson = Set(list("i me my mine myself we us our ours am"))
    /// Words of time and place, for the taste `setting`.
    static let timesAndPlaces = Set(
        [days, months, seasons, meals, delivery, places, cities].flatMap { $0 }.map { $0.lowercased() }
    )
}
