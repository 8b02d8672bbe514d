import Collectives
import Failures
import Foundation
import LanguageModels
import ModelFiles
import Optimizers
import Preferences
import Randomness
import Reporting
import Simulation
import StrictJSON
import Tensors
import Text
import Training

/// Makes the reference policy: trains a byte-level BPE tokenizer and a GPT-2 on documents, next token by next token.
///
/// Writes `reference/`, a Hugging Face directory.
func runSFT(_ run: RunContext) throws {
    let settings = run.configuration.sft
    let (shards, hosted) = try run.shards()
    let texts = try run.loadDocuments()
    try run.communicator.enter(.tokenize, step: 0)
    let path = run.directory.file("reference")
    try run.onRoot {
        try BytePairTrainer(vocabularySize: settings.vocabularySize).train(on: texts).write(toDirectory: path)
    }
    let tokenizer = try Tokenizer(directory: path)
    let endOfText = try tokenizer.requiredEndOfText()
    let documents = texts.map { Array((tokenizer.encode($0) + [endOfText]).prefix(settings.positions)) }
    let validation = Array(documents.suffix(min(256, documents.count / 10)))
    let training = Array(documents.dropLast(validation.count))
    guard training.count >= shards.count else {
        throw Failure(.badData, "\(documents.count) documents are too few for \(shards.count) shards", at: "data.text")
    }

    let precision = run.configuration.model.precision.resolved
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
        precision: precision,
        seed: run.seed
    )
    model.checkpointsActivations = run.configuration.run.activationCheckpointing
    let trainer = Trainer([model], by: run.configuration.run.reduction)
    trainer.begin(settings.optimizer, over: run.communicator)
    let schedule = settings.optimizer.rates(over: settings.steps)
    let checkpoints = try Checkpointer(run, training: "sft", stage: .sft)
    if let saved = checkpoints.saved {
        try saved.fill(trainer.stateVectors)
        try trainer.resume(updates: [checkpoints.step], over: run.communicator)
    }
    run.progress.say("sft: \(model.parameters.values.count) parameters, \(tokenizer.vocabularySize) tokens")
    try run.sayMoments("sft", models: 1, .full, head: .none, of: model.configuration)
    run.progress.begin("sft", total: settings.steps, done: checkpoints.step)
    // The step number is all that batches, schedule and random streams go by.
    for step in stride(from: checkpoints.step + 1, through: settings.steps, by: 1) {
        let started = Date()
        let batch = batchOfStep(step, size: settings.batchSequences, from: training, seed: run.seed)
        // Every rank knows the whole batch, so the number of predictions needs no exchange.
        let predictions = batch.reduce(0) { $0 + $1.count - 1 }
        var losses = Array(repeating: [0.0], count: hosted.count)
        try trainer.sumGradients(over: shards.tree, run.communicator) { index in
            try run.communicator.enter(.forward, step: step)
            let own = shards.items(of: hosted[hosted.startIndex + index], total: batch.count).map { batch[$0] }
            let scores = model.forwardNextTokens(own)
            losses[index][0] -= scores.logProbabilities.reduce(0) { $0 + Double($1) }
            let share = [Float](repeating: -1 / Float(predictions), count: scores.logProbabilities.count)
            trainer.backward(of: model, completing: 0) {
                model.backwardTokenScores(dLogProbabilities: share, dValues: [])
            }
            try run.communicator.enter(.backward, step: step, with: &losses[index])
            if index == hosted.count - 1 { try run.communicator.enter(.reduce, step: step) }
        }
        let loss = try run.communicator.sumOverShards(losses, width: 1)[0]
        let rate = schedule.rate(at: step)
        let norm = try trainer.update(learningRate: rate, over: run.communicator)
        guard norm.isFinite, loss.isFinite else {
            throw Failure(.internalError, "the loss is not finite at step \(step); lower sft.learning_rate", at: "sft")
        }
        try run.checkReplicas(trainer.replicas, step: step)
        let mean = loss / Double(predictions)
        let seconds = Date().timeIntervalSince(started)
        try run.metrics.write(
            stage: Stage.sft.rawValue,
            step: step,
            seconds: seconds,
            [
                "loss": .number(mean), "gradient_norm": .number(norm), "learning_rate": .number(Double(rate)),
                "tokens_per_second": .number(Double(predictions) / seconds),
            ]
        )
        run.progress.advance(
            notes: [
                "loss \(mean.formatted(decimals: 3))",
                "\((Double(predictions) / seconds / 1000).formatted(decimals: 1))k tokens/s",
            ]
        )
        try checkpoints.atBoundary { TrainingState(trainer.stateVectors, replicas: trainer.replicas) }
    }
    try trainer.end(over: run.communicator)
    let held = try run.communicator.sumOverShards(
        hosted.map { model.nextTokenLoss(shards.items(of: $0, total: validation.count).map { validation[$0] }) },
        width: 2
    )
    run.progress.end("loss on held-out documents \((held[0] / held[1]).formatted(decimals: 3))")
    try run.communicator.enter(.save, step: 0)
    try run.requireGood([model.parameters.values], step: settings.steps)
    try run.requireFiniteLogits(of: model, after: [[endOfText]], step: settings.steps)
    try run.onRoot { try ModelDirectory.save(model, to: path, tokenizerFrom: nil) }
}

/// The sequences of a step: documents in an order drawn anew for each pass over them.
private func batchOfStep(_ step: Int, size: Int, from documents: [[Int32]], seed: UInt64) -> [[Int32]] {
    var orders: [Int: [Int]] = [:]
    return ((step - 1) * size..<step * size).map { position in
        let (pass, index) = position.quotientAndRemainder(dividingBy: documents.count)
        if orders[pass] == nil {
            var random = CounterRandom(seed: seed, purpose: .order, step: pass)
            orders[pass] = documents.indices.shuffled(using: &random)
        }
        return documents[orders[pass]?[index] ?? index]
    }
}

extension LanguageModel {
    /// Scores of every token but the first of each sequence, recorded.
    fileprivate func forwardNextTokens(_ sequences: [[Int32]]) -> TokenScores {
        let packed = PackedSequences(sequences)
        return forwardTokenScores(packed, rows: packed.predictingRows, temperature: 1)
    }

    /// Σ −log π of every token but the first of each sequence, and how many there are.
    fileprivate func nextTokenLoss(_ sequences: [[Int32]]) -> [Double] {
        let packed = PackedSequences(sequences)
        let scores = tokenScores(of: packed, rows: packed.predictingRows, temperature: 1)
        return [-scores.logProbabilities.reduce(0) { $0 + Double($1) }, Double(scores.logProbabilities.count)]
    }
}

extension RunContext {
    /// The documents of `data.text`, or of the embedded corpus.
    fileprivate func loadDocuments() throws(Failure) -> [String] {
        guard let path = configuration.data.text else {
            return EmbeddedCorpus.documents(count: configuration.sft.documents, seed: seed)
        }
        let loaded = try loadTexts(path, options: LoadOptions(onBadLine: configuration.data.onBadLine))
        loaded.report.warnings.forEach(progress.say)
        return Array(loaded.texts.prefix(configuration.sft.documents))
    }
}
