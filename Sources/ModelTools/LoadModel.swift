import Failures
import LanguageModels
import ModelFiles
package import Runs
import Tensors
package import Text

/// A model that is asked for, and how it is to be opened.
package struct ModelRequest: Sendable {
    /// Hugging Face directory.
    package var directory: String
    /// PEFT directory, used over it.
    package var adapter: String?
    /// The chat template of prompts; nil: the one that was noted when the model was trained, or else that of its
    /// directory.
    package var template: ChatTemplate?
    package var precision = ModelSection.Precision.fp32
    package var threads = 1
    /// Whether weights and results that are not finite are taken.
    package var allowNonFinite = false
    /// Whether weights may be links to files outside their directory.
    package var followSymlinks = false

    /// The model of a directory, or of an adapter over it.
    package init(_ directory: String, adapter: String? = nil) {
        self.directory = directory
        self.adapter = adapter
    }

    /// The directory that names it to people.
    var name: String { adapter ?? directory }
}

/// A model with its tokenizer, for the commands that work on given text.
struct TextModel {
    let model: LanguageModel
    /// How its tokens are text.
    let encoding: ChatEncoding

    /// Opens a Hugging Face directory, its weights in place, and a PEFT directory over it where there is one; sets the
    /// threads of this process.
    ///
    /// - Throws: `Failure` also where text would be encoded otherwise than for the model's training.
    init(_ request: ModelRequest, log: (String) -> Void) throws(Failure) {
        let directory = request.directory
        try useThreads(request.threads)
        let tokenizer = try Tokenizer(directory: directory)
        let loaded = try ModelDirectory.open(
            directory,
            precision: request.precision.resolved,
            followSymlinks: request.followSymlinks,
            checksFinite: !request.allowNonFinite
        )
        for warning in loaded.warnings { log("warning: \(warning)") }
        if let adapter = request.adapter {
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
                allowNonFinite: request.allowNonFinite,
                followSymlinks: request.followSymlinks
            )
        } else {
            model = loaded.model
        }
        guard tokenizer.vocabularySize <= model.configuration.vocabularySize else {
            let reason =
                "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(model.configuration.vocabularySize)"
            throw Failure(.configuration, "\(reason); they do not belong together", at: directory)
        }
        let noted = try Provenance(directory: request.name)
        encoding = try ChatEncoding(
            tokenizer,
            request.template ?? noted?.template,
            endOfText: tokenizer.endOfText ?? model.configuration.endOfText
        )
        let base = request.adapter == nil ? nil : directory
        try noted?.check(request.name, encoding, tokenizerIn: directory, base: base)
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
