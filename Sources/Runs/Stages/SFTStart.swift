import Collectives
import Failures
import LanguageModels
import ModelFiles
import Preferences
import Reporting
import Simulation
import Tensors
import Text

/// What the stage `sft` begins with: a model, what it is trained on, and how it is written.
struct SFTStart {
    let model: LanguageModel
    let sequences: [TrainingSequence]
    /// What training says of itself.
    let summary: String
    /// What the model's card says of how and on what it is trained.
    let method, data: String
    /// What ends a text of the model's.
    let endOfText: Int32
    /// Writes the trained model as `reference/`; on the root.
    let save: () throws -> Void
}

extension RunContext {
    /// A new tokenizer, trained on the documents of `data.text` or of the embedded corpus, and a new GPT-2.
    func newModel() throws -> SFTStart {
        let settings = configuration.sft
        let texts = try loadDocuments()
        try communicator.enter(.tokenize, step: 0)
        let path = directory.file("reference")
        try onRoot {
            try BytePairTrainer(vocabularySize: settings.vocabularySize).train(on: texts).write(toDirectory: path)
        }
        let tokenizer = try Tokenizer(directory: path)
        let endOfText = try tokenizer.requiredEndOfText()
        let documents = texts.map { Array((tokenizer.encode($0) + [endOfText]).prefix(settings.positions)) }
        let model = LanguageModel(
            ModelConfiguration(
                vocabularySize: tokenizer.vocabularySize,
                positions: settings.positions,
                width: settings.width,
                layers: settings.layers,
                heads: settings.heads,
                endOfText: endOfText
            ),
            head: .none,
            precision: configuration.model.precision.resolved,
            seed: seed
        )
        return SFTStart(
            model: model,
            sequences: documents.map { TrainingSequence(tokens: $0, answers: [1..<$0.count]) },
            summary: "\(model.parameters.values.count) parameters, \(tokenizer.vocabularySize) tokens",
            method: "a byte-level BPE tokenizer and a GPT-2 from scratch, next token by next token",
            data: configuration.data.text.map { "`\($0)`" } ?? "the embedded corpus",
            endOfText: endOfText,
            save: { try ModelDirectory.save(model, to: path, tokenizerFrom: nil) }
        )
    }

    /// The model of `model.path`, or new adapters over it, and the texts or conversations of `data.text`.
    func existingModel(_ source: String) throws -> SFTStart {
        let settings = configuration.sft
        guard let file = configuration.data.text else { preconditionFailure("crossChecks asks for data.text") }
        let isWhole = settings.trainable == .full
        let base = try loadReference(at: source, copiesWeights: isWhole)
        let (encoding, shape) = (base.encoding, base.model.configuration)
        try communicator.enter(.tokenize, step: 0)
        let options = configuration.data.loadOptions(encoding.template)
        let (texts, report) = try loadTrainingTexts(file, options: options, under: encoding.template)
        report.warnings.forEach(progress.say)
        guard let endOfText = shape.endOfText ?? encoding.endOfTurn else {
            throw Failure(.configuration, "names no end-of-text token (\"eos_token_id\")", at: "\(source)/config.json")
        }
        let room = min(configuration.data.maxLength, shape.contextLength)
        let read = texts.prefix(settings.documents)
        let sequences = read.compactMap {
            tokenize($0, maximumTokens: room, endOfText: endOfText, encoding: encoding)
        }
        let left = read.count - sequences.count
        if left > 0 { progress.say("\(file): \(left) texts left out, of whose answers nothing fits data.max_length") }
        let trained: TrainableParameters = isWhole ? .full : .adapters(settings.lora)
        if !isWhole { try settings.lora.require(shape, at: "sft.lora") }
        let model = isWhole ? base.model : base.model.copy(head: .none, trainable: trained, seed: seed)
        let path = directory.file("reference")
        return SFTStart(
            model: model,
            sequences: sequences,
            summary: "\(trained.parameterCount(shape, head: .none)) parameters of \(source), "
                + "\(sequences.count) texts, \(sequences.reduce(0) { $0 + $1.predictions }) tokens to predict",
            method: "the loss on texts and on the assistant's answers, "
                + (isWhole ? "all parameters" : "LoRA adapters, merged into the base"),
            data: "`\(file)`",
            endOfText: endOfText,
            save: {
                try base.save(model, to: isWhole ? path : "\(path)/adapter")
                guard !isWhole else { return }
                // Later stages put adapters of their own over one frozen model, so this one is made a part of it.
                _ = try ModelDirectory.writeMerged(
                    adapter: "\(path)/adapter",
                    base: source,
                    to: path,
                    followSymlinks: base.followSymlinks
                )
            }
        )
    }

    /// The documents of `data.text`, or of the embedded corpus.
    private func loadDocuments() throws(Failure) -> [String] {
        guard let path = configuration.data.text else {
            return EmbeddedCorpus.documents(count: configuration.sft.documents, seed: seed)
        }
        let loaded = try loadTexts(path, options: LoadOptions(onBadLine: configuration.data.onBadLine))
        loaded.report.warnings.forEach(progress.say)
        return Array(loaded.texts.prefix(configuration.sft.documents))
    }
}
