import Failures
import StrictJSON

/// The tokens of a vocabulary file by id, checked: no id twice, none missing, none negative or beyond 2³¹ − 1.
struct Vocabulary {
    static let largestID = Int(Int32.max)

    /// Token text by id.
    private(set) var tokens: [String]
    let added: AddedTokens
    private let model: JSONObject
    private let location: String

    init(_ fields: JSONFields, added list: [AddedTokens.Token]) throws(Failure) {
        let vocabulary = try fields.fields("vocab")
        model = vocabulary.object
        location = fields.location
        added = AddedTokens(list)
        // Added tokens may repeat an entry of the vocabulary, and only exactly.
        var extra: [AddedTokens.Token] = []
        var seenIDs: Set<Int32> = []
        var seenTexts: Set<ByteString> = []
        for token in list {
            guard seenIDs.insert(token.id).inserted, seenTexts.insert(ByteString(token.text)).inserted else {
                throw Failure(.badData, "added token \"\(token.text)\" (id \(token.id)) is listed twice", at: location)
            }
            guard let id = model[token.text] else {
                extra.append(token)
                continue
            }
            guard id.integer == Int(token.id) else {
                throw vocabulary.failure(token.text, "is \(id.encoded()) but \(token.id) in 'added_tokens'")
            }
        }
        let size = model.count + extra.count
        var byID = [String?](repeating: nil, count: size)
        func assign(_ id: Int, to text: String) throws(Failure) {
            guard id < size else {
                throw vocabulary.failure(
                    text,
                    "has id \(id), but with \(size) tokens ids must run from 0 to \(size - 1)"
                )
            }
            if let other = byID[id] { throw vocabulary.failure(text, "has id \(id), as has '\(other)'") }
            byID[id] = text
        }
        for (key, value) in model.members {
            guard let id = value.integer, 0...Self.largestID ~= id else {
                throw vocabulary.failure(key, "must be an id in 0...\(Self.largestID), found \(value.kind)")
            }
            try assign(id, to: key)
        }
        for token in extra { try assign(Int(token.id), to: token.text) }
        tokens = byID.compactMap(\.self)
    }

    /// The id of a token of the model's own vocabulary.
    func id(of token: String) -> Int32? {
        model[token]?.integer.map { Int32($0) }
    }

    /// The bytes of each token: those that `spelling` says it spells; of added tokens their UTF-8.
    func bytes(_ spelling: (String) -> [UInt8]?) -> [[UInt8]] {
        var bytes = tokens.map { spelling($0) ?? Array($0.utf8) }
        for token in added.tokens { bytes[Int(token.id)] = Array(token.text.utf8) }
        return bytes
    }

    /// The token of each single byte; nil where the vocabulary has none.
    ///
    /// - Throws: `Failure(.badData)` where one of `required` has none.
    func byteTokens(
        required: ClosedRange<UInt8>,
        _ spelling: (UInt8) -> String
    ) throws(Failure) -> [Int32?] {
        var ids: [Int32?] = []
        for byte in UInt8.min...UInt8.max {
            let token = spelling(byte)
            let id = id(of: token)
            if id == nil, required.contains(byte) {
                throw Failure(.badData, "'model.vocab' lacks \"\(token)\", the token of byte \(byte)", at: location)
            }
            ids.append(id)
        }
        return ids
    }
}
