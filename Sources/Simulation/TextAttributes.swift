/// How many sentences and words of no kind are added to a response before a share is taken, so that a response of one
/// sentence or one word does not win by that alone.
private let shrinkage = 3.0
/// The letters of an average English word.
private let averageLetters = 5.0

private let goodWords = Set(CorpusWords.good)
private let badWords = Set(CorpusWords.bad)

/// Positive minus negative words of the embedded corpus.
func lexiconBalance(_ text: String) -> Int {
    lowercasedWords(text).reduce(0) { $0 + (goodWords.contains($1) ? 1 : 0) - (badWords.contains($1) ? 1 : 0) }
}

/// (a − p·n)/(n + 3) of a text with n sentences, a of which have one of the words, where a share of p is expected.
///
/// So neither long nor short texts win: at the expected share all have 0.
func excessOfSentences(with words: Set<String>, in text: String, expected: Double) -> Double {
    let sentences = text.split { ".!?".contains($0) }.map { lowercasedWords(String($0)) }.filter { !$0.isEmpty }
    let having = sentences.count { $0.contains(where: words.contains) }
    return (Double(having) - expected * Double(sentences.count)) / (Double(sentences.count) + shrinkage)
}

/// Letters a word, as if three words of five letters were added.
func meanLetters(of text: String) -> Double {
    let words = lowercasedWords(text)
    let letters = words.reduce(0) { $0 + $1.utf8.count { $0 != UInt8(ascii: "'") } }
    return (Double(letters) + shrinkage * averageLetters) / (Double(words.count) + shrinkage)
}

/// The share of a text's words that are among `wanted`, as if three other words were added.
func share(of wanted: Set<String>, in text: String) -> Double {
    let words = lowercasedWords(text)
    return Double(words.count(where: wanted.contains)) / (Double(words.count) + shrinkage)
}
