package import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Preferences
import Reporting
import Simulation
import Text

/// Openings of the embedded corpus that training uses.
private let embeddedTrainingPrompts = 1024

/// The reference policy π_ref with its tokenizer, frozen.
struct Reference {
    let model: LanguageModel
    /// How its tokens are text.
    let encoding: ChatEncoding
    /// Its Hugging Face directory.
    let path: String
    /// Whether its weights may be links to files outside that.
    let followSymlinks: Bool

    /// Saves a model that started from the reference: whole, or its adapters where it has some, and what it was
    /// trained on.
    func save(_ model: LanguageModel, to directory: String) throws(Failure) {
        if model.adapters == nil {
            try ModelDirectory.save(model, over: self.model, to: directory, tokenizerFrom: path)
        } else {
            try AdapterDirectory.save(model, to: directory, base: path, tokenizerFrom: path)
        }
        try Provenance.save(encoding, tokenizerIn: path, base: model.adapters == nil ? nil : path, to: directory)
    }

    /// Opens a model that `save` wrote, to be used as it is; adapters share the reference's trunk.
    ///
    /// - Throws: `Failure` also for one that was trained otherwise.
    func load(_ directory: String, head: Head) throws(Failure) -> LanguageModel {
        let base = AdapterDirectory.isAdapter(directory) ? path : nil
        try Provenance(directory: directory)?.check(directory, encoding, tokenizerIn: path, base: base)
        let loaded =
            AdapterDirectory.isAdapter(directory)
            ? try AdapterDirectory.load(directory, over: model, head: head)
            : try ModelDirectory.open(
                directory,
                precision: model.precision,
                head: head,
                checksFinite: true,
                sharingWorkspace: model
            ).model
        loaded.samplingBytes = model.samplingBytes
        return loaded
    }

    /// A policy that starts as the reference: a copy of its weights, or new adapters over them, with a head that is
    /// new.
    func policy(head: Head, trained: TrainableParameters, seed: UInt64) throws(Failure) -> LanguageModel {
        guard trained == .full else { return model.copy(head: head, trainable: trained, seed: seed) }
        let policy = try ModelDirectory.load(
            path,
            precision: model.precision,
            head: head,
            followSymlinks: followSymlinks,
            sharingWorkspace: model
        ).model
        policy.initializeHead(seed: seed)
        return policy
    }
}

extension Configuration {
    /// The directory of the reference: what the stage `sft` made in a run directory, or else the one that `model.path`
    /// names.
    ///
    /// - Throws: `Failure` where `sft` is to make it and has not.
    package func referencePath(in directory: RunDirectory) throws(Failure) -> String {
        if let path = model.path, !run.stages.contains(.sft), !directory.isComplete(.sft) { return path }
        return try directory.require("reference", madeBy: .sft)
    }
}

extension RunContext {
    /// The directory of the reference: the configuration's, or what the `sft` stage made.
    func referencePath() throws(Failure) -> String {
        try configuration.referencePath(in: directory)
    }

    /// Reads the reference policy and its tokenizer.
    ///
    /// Its weights stay in the files, where all ranks of a machine share them, unless the files have them in another
    /// type than products do. In a run with adapters, whose base may be large, they are not searched for numbers that
    /// are not finite.
    ///
    /// - Parameter copiesWeights: whether its weights are copied or written, for which they must be in memory.
    func loadReference(copiesWeights: Bool = false) throws(Failure) -> Reference {
        try loadReference(at: referencePath(), copiesWeights: copiesWeights)
    }

    /// The same of the model in a directory.
    func loadReference(at path: String, copiesWeights: Bool) throws(Failure) -> Reference {
        let precision = configuration.model.precision.resolved
        let hasAdapters = configuration.reward.trainable.hasAdapters || configuration.policy.trainable.hasAdapters
        let followSymlinks = configuration.model.followSymlinks
        let loaded =
            !copiesWeights
            ? try ModelDirectory.open(
                path,
                precision: precision,
                head: Head.none,
                followSymlinks: followSymlinks,
                checksFinite: !hasAdapters
            )
            : try ModelDirectory.load(path, precision: precision, head: Head.none, followSymlinks: followSymlinks)
        for warning in loaded.warnings { progress.say(warning) }
        prepareSampling(from: loaded.model)
        let tokenizer = try Tokenizer(directory: path)
        guard tokenizer.vocabularySize <= loaded.model.configuration.vocabularySize else {
            throw Failure(
                .configuration,
                "the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
                    + "\(loaded.model.configuration.vocabularySize); they do not belong together",
                at: loaded.tokenizerFile
            )
        }
        let encoding = try ChatEncoding(
            tokenizer,
            configuration.data.chatTemplate,
            endOfText: loaded.model.configuration.endOfText
        )
        return Reference(model: loaded.model, encoding: encoding, path: path, followSymlinks: followSymlinks)
    }

    /// Gives a model its memory for sampling, and lets progress follow it.
    func prepareSampling(from model: LanguageModel) {
        model.samplingBytes = samplingBytes
        let progress = progress
        model.sampled = { ended, count, tokens in
            // What is sampled is scored next, and a policy then learns from it.
            progress.note(ended < count ? "sampling \(ended)/\(count), \(tokens) tokens" : "using what it sampled")
        }
    }

    /// The distinct prompts of the run, those of the evaluation kept apart.
    func loadPrompts(_ reference: Reference) throws(Failure) -> (training: [Prompt], heldOut: [Prompt]) {
        let data = configuration.data
        let room = reference.model.configuration.contextLength - configuration.policy.training.maxNewTokens
        guard room > 0 else {
            throw Failure(
                .configuration,
                "\(configuration.policy.training.maxNewTokens) new tokens leave no room for a prompt in the model's "
                    + "\(reference.model.configuration.contextLength) positions",
                at: "policy.max_new_tokens"
            )
        }
        let maximumTokens = min(room, data.maxLength - 1)
        guard maximumTokens >= reference.encoding.leastPrompt else {
            throw Failure(
                .configuration,
                "\(maximumTokens) tokens leave no room for a prompt under chat_template "
                    + "\(reference.encoding.template.rawValue); raise it, or lower policy.max_new_tokens",
                at: "data.max_length"
            )
        }
        guard let path = data.prompts else {
            if let path = data.preferences {
                return try promptsOfPreferences(path, reference, maximumTokens: maximumTokens)
            }
            return try embeddedPrompts(reference, maximumTokens: maximumTokens)
        }
        let options = data.loadOptions(reference.encoding.template)
        let loaded = try loadPromptTexts(path, options: options)
        loaded.report.warnings.forEach(progress.say)
        let prompts = tokenized(loaded.prompts, reference, maximumTokens: maximumTokens)
        return try splitPrompts(prompts, heldOut: data.heldOutPrompts, seed: seed)
    }

    /// The prompts of the preferences; those of the evaluation are, as far as they go, of comparisons that no reward
    /// model trains on.
    private func promptsOfPreferences(
        _ path: String,
        _ reference: Reference,
        maximumTokens: Int
    ) throws(Failure) -> (training: [Prompt], heldOut: [Prompt]) {
        let data = configuration.data
        let options = data.loadOptions(reference.encoding.template)
        let texts = distinctPrompts(of: try loadPreferences(path, options: options).users, seed: seed)
        let prompts = tokenized(texts.map(PromptText.whole), reference, maximumTokens: maximumTokens)
        try requirePrompts(prompts.count, heldOut: data.heldOutPrompts, of: path)
        progress.say(
            "prompts: \(prompts.count - data.heldOutPrompts) of data.preferences, and \(data.heldOutPrompts) others of "
                + "them for evaluation, since data.prompts names none"
        )
        return (Array(prompts[data.heldOutPrompts...]), Array(prompts[..<data.heldOutPrompts]))
    }

    /// Openings of the embedded corpus, which keeps its held-out ones apart itself.
    private func embeddedPrompts(
        _ reference: Reference,
        maximumTokens: Int
    ) throws(Failure) -> (training: [Prompt], heldOut: [Prompt]) {
        let heldOut = configuration.data.heldOutPrompts
        let training = try EmbeddedCorpus.prompts(count: embeddedTrainingPrompts, seed: seed, heldOut: false)
        let evaluation = try EmbeddedCorpus.prompts(count: heldOut, seed: seed, heldOut: true)
        return (
            tokenized(training.map { .whole(Conversation($0)) }, reference, maximumTokens: maximumTokens),
            tokenized(evaluation.map { .whole(Conversation($0)) }, reference, maximumTokens: maximumTokens)
        )
    }

    private func tokenized(_ texts: [PromptText], _ reference: Reference, maximumTokens: Int) -> [Prompt] {
        tokenizePrompts(
            texts,
            openingTokens: configuration.simulate.promptTokens,
            maximumTokens: maximumTokens,
            encoding: reference.encoding
        ).prompts
    }
}
