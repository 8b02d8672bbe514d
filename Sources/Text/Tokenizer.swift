package import Failures

/// Where a stretch of text stands that a scheme is given.
enum TextPlace {
    case beginning
    case afterAddedToken
    case continuation
}

/// How a tokenizer turns text without added tokens into ids; one conforming type per family of vocabularies.
protocol TokenScheme: Sendable {
    /// Whether the space that begins a decoded text is none of the text's own.
    var dropsLeadingSpace: Bool { get }
    /// Appends the ids of a text, given as UTF-8.
    func encode(_ bytes: [UInt8], at location: TextPlace, appendingTo ids: inout [Int32])
}

/// Turns text into token ids and back, with a model's own vocabulary.
///
/// Tokens are byte strings throughout: two spellings of "é" are two texts, and any bytes can be encoded.
package struct Tokenizer: Sendable {
    /// What happens to the text of a special token (`<|endoftext|>`) within a text.
    package enum SpecialTokens: Sendable {
        /// It is ordinary text: nobody's data can end a sequence or forge a turn.
        case asText
        /// It becomes the special token, as in `tokenizers`.
        case recognized
    }

    /// Where a text stands: some vocabularies put a space before the first word of a text.
    package enum Position: Sendable {
        /// It begins a sequence.
        case beginning
        /// It goes on after tokens that are there, as a response after its prompt.
        case continuation
    }

    /// Token text by id, as the vocabulary file spells it (`Ġthe`).
    let tokens: [String]
    /// The bytes of all tokens one after another; token i is `tokenBytes[tokenEnds[i - 1]..<tokenEnds[i]]`.
    private let tokenBytes: [UInt8]
    private let tokenEnds: [Int]
    let addedTokens: AddedTokens
    let scheme: any TokenScheme
    /// Id of the token that ends a text, where `tokenizer_config.json` or the trainer names one.
    package let endOfText: Int32?
    /// Id of the token that begins a text, where there is one.
    package let beginningOfText: Int32?
    /// What the tokenizer's own post-processor puts before every sequence: Llama's `<s>`.
    package let prefix: [Int32]
    /// The chat template that stands beside the tokenizer, where there is one.
    let chatTemplate: JinjaTemplate?
    /// Where this tokenizer came from, for messages.
    let location: String

    init(
        tokens: [String],
        bytes: [[UInt8]],
        addedTokens: AddedTokens,
        scheme: any TokenScheme,
        endOfText: Int32?,
        beginningOfText: Int32?,
        prefix: [Int32] = [],
        chatTemplate: JinjaTemplate? = nil,
        location: String
    ) {
        self.tokens = tokens
        self.addedTokens = addedTokens
        self.scheme = scheme
        self.endOfText = endOfText
        self.beginningOfText = beginningOfText
        self.prefix = prefix
        self.chatTemplate = chatTemplate
        self.location = location
        var ends: [Int] = []
        var end = 0
        for token in bytes {
            end += token.count
            ends.append(end)
        }
        tokenEnds = ends
        tokenBytes = Array(bytes.joined())
    }

    /// Number of tokens; ids run from 0 to one below.
    package var vocabularySize: Int { tokens.count }

    /// The ids of a text that begins a sequence, with those that the tokenizer's own post-processor adds.
    package func encodeSequence(_ text: String, specialTokens: SpecialTokens = .asText) -> [Int32] {
        prefix + encode(text, specialTokens: specialTokens)
    }

    /// The ids of a text alone.
    package func encode(
        _ text: String,
        specialTokens: SpecialTokens = .asText,
        at position: Position = .beginning
    ) -> [Int32] {
        encode(Array(text.utf8), specialTokens: specialTokens, at: position)
    }

    /// The ids of a text given as UTF-8; bytes that are not UTF-8 are kept, each as a character of its own.
    package func encode(
        _ bytes: [UInt8],
        specialTokens: SpecialTokens = .asText,
        at position: Position = .beginning
    ) -> [Int32] {
        encode(bytes, specialTokens: specialTokens, from: position == .beginning ? .beginning : .continuation)
    }

    /// The ids of a text that stands at a place of a sequence.
    func encode(_ bytes: [UInt8], specialTokens: SpecialTokens, from first: TextPlace) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 3 + 4)
        var start = 0
        var location = first
        addedTokens.forEachMatch(in: bytes, specialTokens: specialTokens) { match, id in
            if start < match.lowerBound {
                scheme.encode(Array(bytes[start..<match.lowerBound]), at: location, appendingTo: &ids)
            }
            ids.append(id)
            start = match.upperBound
            location = .afterAddedToken
        }
        if start < bytes.count {
            scheme.encode(start == 0 ? bytes : Array(bytes[start...]), at: location, appendingTo: &ids)
        }
        return ids
    }

    /// The text of ids; bytes that are not UTF-8, as when a sequence ends within a character, become U+FFFD.
    ///
    /// - Throws: `Failure(.badData)` for an id outside the vocabulary.
    package func decode(
        _ ids: some Sequence<Int32>,
        skippingSpecialTokens: Bool = false,
        at position: Position = .beginning
    ) throws(Failure) -> String {
        let bytes = try decodeBytes(ids, skippingSpecialTokens: skippingSpecialTokens, at: position)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of sampled ids, which go on after a prompt.
    ///
    /// A model may have more tokens than its tokenizer (padding of the embedding). They have no text and become U+FFFD.
    package func text(ofSampled ids: some Sequence<Int32>) -> String {
        let pieces = ids.split(omittingEmptySubsequences: false) { !tokens.indices.contains(Int($0)) }
        return pieces.map { (try? decode($0, at: .continuation)) ?? "" }.joined(separator: "\u{FFFD}")
    }

    /// The bytes of ids.
    ///
    /// - Throws: `Failure(.badData)` for an id outside the vocabulary.
    package func decodeBytes(
        _ ids: some Sequence<Int32>,
        skippingSpecialTokens: Bool = false,
        at position: Position = .beginning
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        for id in ids {
            let i = Int(id)
            guard tokens.indices.contains(i) else {
                throw Failure(.badData, "token id \(id) is outside the vocabulary 0..<\(tokens.count)", at: location)
            }
            if skippingSpecialTokens, addedTokens.isSpecial(id) { continue }
            bytes.append(contentsOf: tokenBytes[(i == 0 ? 0 : tokenEnds[i - 1])..<tokenEnds[i]])
        }
        if position == .beginning, scheme.dropsLeadingSpace, bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        return bytes
    }

    /// The token of an id as the vocabulary spells it (`Ġthe`), or nil outside the vocabulary.
    package func token(for id: Int32) -> String? {
        tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
    }

    /// The id of an added token such as `<|endoftext|>`, or nil where there is none of that text.
    package func id(ofAddedToken text: String) -> Int32? {
        addedTokens.id(of: text)
    }

    /// The id of the token that ends a text.
    ///
    /// - Throws: `Failure(.configuration)` where the model does not name one.
    package func requiredEndOfText() throws(Failure) -> Int32 {
        guard let endOfText else {
            throw Failure(
                .configuration,
                "no end-of-text token; name one of the added tokens as \"eos_token\" in tokenizer_config.json",
                at: location
            )
        }
        return endOfText
    }
}
