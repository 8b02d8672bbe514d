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
}
