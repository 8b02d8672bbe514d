import Failures
import LanguageModels
import ModelFiles
import Runs
import Tensors
import Text

/// A model with its tokenizer, for the commands that work on given text.
struct TextModel {
    let model: LanguageModel
    /// How its tokens are text.
    let encoding: ChatEncoding

    /// Opens a Hugging Face directory, its weights in place, and a PEFT directory over it where there is one; sets the
    /// threads of this process.
    ///
    /// - Parameters:
    ///   - template: the chat template; nil: the one that was noted when the model was trained, or else that of its
    ///     directory.
    ///   - allowNonFinite: accept NaN and infinite weights.
    /// - Throws: `Failure` also where text would be encoded otherwise than for the model's training.
    init(
        directory: String,
        adapter: String?,
        template: ChatTemplate?,
        precision: ModelSection.Precision,
        threads: Int,
        allowNonFinite: Bool,
        followSymlinks: Bool,
        log: (String) -> Void
    ) throws(Failure) {
        try useThreads(threads)
        let tokenizer = try Tokenizer(directory: directory)
        let loaded = try ModelDirectory.open(
            directory,
            precision: precision.resolved,
            followSymlinks: followSymlinks,
            checksFinite: !allowNonFinite
        )
        for warning in loaded.warnings { log("warning: \(warning)") }
        if let adapter {
            guard loaded.model.head == .none else {
                throw Failure(
                    .configuration,
                    "is a reward model; --adapter needs the model that it adapts",
                    at: directory
                )
            }
            model = try AdapterDirectory.load(
                adapter,
                over: loaded.model,
                allowNonFinite: allowNonFinite,
                followSymlinks: followSymlinks
            )
        } else {
            model = loaded.model
        }
        guard tokenizer.vocabularySize <= model.configuration.vocabularySize else {
            let reason =
                "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(model.configuration.vocabularySize)"
            throw Failure(.configuration, "\(reason); they do not belong together", at: directory)
        }
        let trained = adapter ?? directory
        let noted = try Provenance(directory: trained)
        encoding = try ChatEncoding(
            tokenizer,
            template ?? noted?.template,
            endOfText: tokenizer.endOfText ?? model.configuration.endOfText
        )
        try noted?.check(trained, encoding, tokenizerIn: directory, base: adapter == nil ? nil : directory)
    }

    /// The text of sampled tokens, which go on after a prompt.
    ///
    /// A model may have more tokens than its tokenizer (padding of the embedding); those have no text and become
    /// U+FFFD.
    func decode(_ tokens: ArraySlice<Int32>) throws(Failure) -> String {
        var parts: [String] = []
        let tokenizer = encoding.tokenizer
        let pieces = tokens.split(omittingEmptySubsequences: false) { Int($0) >= tokenizer.vocabularySize }
        for piece in pieces { parts.append(try tokenizer.decode(piece, at: .continuation)) }
        return parts.joined(separator: "\u{FFFD}")
    }

    /// Refuses tokens that the model cannot take, naming where they came from.
    func check(_ tokens: [Int32], at location: String, roomFor more: Int = 0) throws(Failure) {
        guard !tokens.isEmpty else { throw Failure(.badData, "has no tokens", at: location) }
        do {
            try model.validate(PackedSequences([tokens]))
        } catch {
            throw Failure(error.code, error.message, at: location)
        }
        guard tokens.count + more <= model.configuration.contextLength else {
            let reason =
                "\(tokens.count) tokens leave no room in the model's context of \(model.configuration.contextLength)"
            throw Failure(.badData, reason, at: location)
        }
    }
}
