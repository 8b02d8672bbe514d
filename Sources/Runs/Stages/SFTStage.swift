import Collectives
import Failures
import Foundation
import LanguageModels
import Optimizers
import Preferences
import Randomness
import Reporting
import RewardMixture
import StrictJSON
import Tensors
import Training

/// Makes the reference policy, next token by next token: a new byte-level BPE tokenizer and GPT-2 on documents, or the
/// model of `model.path` on texts or on the answers of conversations.
///
/// Writes `reference/`, a Hugging Face directory.
func runSFT(_ run: RunContext) throws {
    let settings = run.configuration.sft
    let (shards, hosted) = try run.shards()
    let start = try run.configuration.model.path.map(run.existingModel) ?? run.newModel()
    let model = start.model
    let validation = Array(start.sequences.suffix(min(256, start.sequences.count / 10)))
    let training = Array(start.sequences.dropLast(validation.count))
    guard training.count >= shards.count else {
        let count = start.sequences.count
        throw Failure(.badData, "\(count) documents are too few for \(shards.count) shards", at: "data.text")
    }
    guard settings.evaluateEvery == nil || !validation.isEmpty else {
        let reason = "\(training.count) documents leave none to hold out; give 10 or more, or leave out"
        throw Failure(.badData, "\(reason) sft.evaluate_every", at: "data.text")
    }

    model.checkpointsActivations = run.configuration.run.activationCheckpointing
    let trainer = Trainer([model], by: run.configuration.run.reduction)
    trainer.begin(settings.optimizer, savesBest: settings.evaluateEvery != nil, over: run.communicator)
    let schedule = settings.optimizer.rates(over: settings.steps)
    var budget = EarlyStopping(patience: settings.patience, maxSteps: settings.steps)
    let checkpoints = try Checkpointer(run, training: "sft", stage: .sft)
    /// Mean −log π of the held-out documents' tokens.
    func heldOut() throws -> Double {
        model.adapterDropoutKey = nil
        let sums = try run.communicator.sumOverShards(
            hosted.map { model.answerLoss(shards.items(of: $0, total: validation.count).map { validation[$0] }) },
            width: 2
        )
        return sums[0] / sums[1]
    }
    run.progress.say("sft: \(start.summary)")
    let trained: TrainableParameters = model.adapters.map { .adapters($0) } ?? .full
    try run.sayMoments("sft", models: 1, trained, head: .none, of: model.configuration)
    run.progress.begin("sft", total: settings.steps, done: checkpoints.step)
    if let saved = checkpoints.saved {
        if settings.evaluateEvery != nil,
            let found = try saved.record(
                "sft",
                as: EarlyStopping.self,
                where: { (0...settings.steps).contains($0.steps) }
            )
        {
            budget = found
        }
        try saved.fill(trainer.stateVectors)
        try trainer.resume(updates: [checkpoints.step], over: run.communicator)
    } else if settings.evaluateEvery != nil {
        let loss = try heldOut()
        if budget.observe(loss: loss, step: 0) { trainer.saveBest(of: 0) }
        try run.metrics.write(stage: Stage.sft.rawValue, step: 0, seconds: 0, ["held_out_loss": .number(loss)])
    }
    // The step number is all that batches, schedule and random streams go by.
    for step in stride(from: checkpoints.step + 1, through: settings.steps, by: 1) {
        if budget.stopped { break }
        let started = Date()
        let batch = batchOfStep(step, size: settings.batchSequences, from: training, seed: run.seed)
        // Every rank knows the whole batch, so the number of predictions needs no exchange.
        let predictions = batch.reduce(0) { $0 + $1.predictions }
        var random = CounterRandom(seed: run.seed, purpose: .dropout, step: step)
        model.adapterDropoutKey = model.adapters == nil ? nil : random.next()
        var losses = Array(repeating: [0.0], count: hosted.count)
        try trainer.sumGradients(over: shards.tree, run.communicator) { index in
            try run.communicator.enter(.forward, step: step)
            let own = shards.items(of: hosted[hosted.startIndex + index], total: batch.count).map { batch[$0] }
            let passes = passes(own, ofTokens: run.configuration.model.microBatchTokens)
            for (number, pass) in passes.enumerated() {
                let scores = model.forwardAnswers(pass)
                losses[index][0] -= scores.logProbabilities.reduce(0) { $0 + Double($1) }
                let share = [Float](repeating: -1 / Float(predictions), count: scores.logProbabilities.count)
                trainer.backward(of: model, completing: number == passes.count - 1 ? 0 : nil) {
                    model.backwardTokenScores(dLogProbabilities: share, dValues: [])
                }
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
        var figures: JSONObject = [
            "loss": .number(mean), "gradient_norm": .number(norm), "learning_rate": .number(Double(rate)),
            "tokens_per_second": .number(Double(predictions) / seconds),
        ]
        if let every = settings.evaluateEvery, step % every == 0 || step == settings.steps {
            let loss = try heldOut()
            guard loss.isFinite else {
                throw Failure(.internalError, "the held-out loss is not finite at step \(step)", at: "sft")
            }
            if budget.observe(loss: loss, step: step) { trainer.saveBest(of: 0) }
            figures["held_out_loss"] = .number(loss)
        }
        try run.metrics.write(stage: Stage.sft.rawValue, step: step, seconds: seconds, figures)
        let best = budget.bestLoss.isFinite ? ["held-out \(budget.bestLoss.formatted(decimals: 3))"] : []
        run.progress.advance(
            notes: ["loss \(mean.formatted(decimals: 3))"] + best
                + ["\((Double(predictions) / seconds).formatted(decimals: 0)) tokens/s"]
        )
        try checkpoints.atBoundary {
            settings.evaluateEvery == nil
                ? TrainingState(trainer.stateVectors, replicas: trainer.replicas)
                : try TrainingState(budget, as: "sft", trainer.stateVectors, replicas: trainer.replicas)
        }
    }
    if settings.evaluateEvery != nil { trainer.restoreBest(of: 0) }
    try trainer.end(over: run.communicator)
    let last = validation.isEmpty ? nil : try heldOut()
    let best = settings.evaluateEvery == nil ? "" : "best step \(budget.bestStep), "
    run.progress.end(last.map { "\(best)loss on held-out documents \($0.formatted(decimals: 3))" } ?? "")
    if settings.evaluateEvery != nil, budget.bestStep == 0 {
        run.progress.say(
            "warning: no step lowered the held-out loss, so the reference is as it was; see sft.learning_rate"
        )
    }
    try run.communicator.enter(.save, step: 0)
    try run.requireGood([model.parameters.values], step: settings.steps)
    try run.requireFiniteLogits(of: model, after: [[start.endOfText]], step: settings.steps)
    try run.onRoot {
        try start.save()
        let card = ModelCard(
            kind: .reference,
            directory: "reference",
            method: start.method,
            data: start.data,
            results: last.map {
                "Loss on \(validation.count) held-out documents: \($0.formatted(decimals: 3)) nats a token."
            }
        )
        try run.save([card], madeBy: .sft)
    }
}

/// The sequences of a step: documents in an order drawn anew for each pass over them.
private func batchOfStep(
    _ step: Int,
    size: Int,
    from documents: [TrainingSequence],
    seed: UInt64
) -> [TrainingSequence] {
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

/// Sequences in runs of at most so many tokens, or of one longer sequence; one empty run where there are none.
private func passes(_ sequences: [TrainingSequence], ofTokens limit: Int) -> [[TrainingSequence]] {
    guard !sequences.isEmpty else { return [[]] }
    return PackedSequences(sequences.map(\.tokens)).batches(of: limit).map { Array(sequences[$0]) }
}

extension LanguageModel {
    /// Scores of the tokens that are to be predicted, recorded.
    fileprivate func forwardAnswers(_ sequences: [TrainingSequence]) -> TokenScores {
        let packed = PackedSequences(sequences.map(\.tokens))
        return forwardTokenScores(packed, rows: packed.rows(predicting: sequences.map(\.answers)), temperature: 1)
    }

    /// Σ −log π of the tokens that are to be predicted, and how many there are.
    fileprivate func answerLoss(_ sequences: [TrainingSequence]) -> [Double] {
        let packed = PackedSequences(sequences.map(\.tokens))
        let scores = tokenScores(of: packed, rows: packed.rows(predicting: sequences.map(\.answers)), temperature: 1)
        return [-scores.logProbabilities.reduce(0) { $0 + Double($1) }, Double(scores.logProbabilities.count)]
    }
}
