import Failures
import LanguageModels
import MaxMinPolicy
import Reporting
import RewardMixture

/// How long the stages to come will take, from what the finished ones took: each stage's operations, counted from
/// shapes and keys, stand in for its time.
///
/// An estimate for people. Trainings that end early make it too long, and texts of unusual lengths put it wrong.
struct TimeLeft {
    private var open: [(stage: Stage, operations: Double)]
    private var doneOperations = 0.0
    private var doneSeconds = 0.0

    /// For the stages of a run that are to do; nil where the work of one cannot be foreseen.
    init?(_ planner: StagePlanner, stages: [Stage]) {
        open = []
        for stage in Stage.allCases where stages.contains(stage) {
            guard let operations = try? planner.operations(of: stage) else { return nil }
            open.append((stage, operations))
        }
    }

    /// Notes what a stage took.
    mutating func finish(_ stage: Stage, seconds: Double) {
        guard let index = open.firstIndex(where: { $0.stage == stage }) else { return }
        doneOperations += open.remove(at: index).operations
        doneSeconds += seconds
    }

    /// Seconds of the stages that are left; nil where there are none, and before one is done that does work.
    var seconds: Double? {
        let operations = open.reduce(0) { $0 + $1.operations }
        guard doneOperations > 0, operations > 0 else { return nil }
        return operations * doneSeconds / doneOperations
    }

    /// As in "about 20 s", "about 3 min", "about 2 h 05 min".
    var text: String? {
        seconds.map { seconds in
            let unit = seconds < 60 ? 10.0 : 60
            let rounded = max(1, (seconds / unit).rounded()) * unit
            return "about "
                + (rounded < 60 ? "\(Int(rounded)) s" : rounded < 3600 ? "\(Int(rounded) / 60) min" : duration(rounded))
        }
    }
}

/// A sampled token takes as long as so many that are scored: its products have few rows, and read all weights.
private let costOfSampling = 1.5
/// Responses are so much shorter than they may be.
private let lengthOfResponses = 0.5
/// Iterations of EM: in every other start somebody moves once.
private let iterationsOfEM = 1.5
/// A document of the embedded corpus, in tokens.
private let embeddedDocument = 32.0

extension StagePlanner {
    /// Operations of products over all ranks, sampling weighted by what it costs; at most, as far as steps go.
    ///
    /// W weights in the blocks, V·D in the vocabulary's product: 2 operations for each and a token, and on the way back
    /// twice as many, or as many where the weights are frozen.
    fileprivate func operations(of stage: Stage) throws(Failure) -> Double {
        let blocks = 2 * Double(shape.layers * shape.blockMatrixElements)
        let whole = blocks + 2 * Double(shape.vocabularySize * shape.width)
        let new = lengthOfResponses * Double(configuration.policy.training.maxNewTokens)
        let response = Double(promptTokens) + new
        /// Of a forward and a backward pass, as many forward ones.
        func passes(_ trained: TrainableParameters) -> Double {
            switch trained {
            case .full: 3
            case .adapters: 2
            case .head: 1
            }
        }
        // As floating-point numbers, since a file may ask for more than an integer holds.
        func product(_ factors: Int...) -> Double { factors.reduce(1) { $0 * Double($1) } }
        /// Of `count` responses, sampled, and scored by policy and reference and by reward models.
        func responses(_ count: Double, models: Int, scored: Double = 2) -> Double {
            count
                * (costOfSampling * whole * new + scored * whole * response + Double(models) * blocks * response)
        }
        let models = configuration.reward.mixture.mostGroups
        switch stage {
        case .report: return 0
        case .sft:
            let keys = configuration.sft
            let trained: TrainableParameters =
                configuration.model.path == nil || keys.trainable == .full ? .full : .adapters(keys.lora)
            let length = configuration.data.text == nil ? embeddedDocument : Double(comparisonTokens) / 2
            return product(keys.steps, keys.batchSequences) * length * passes(trained) * whole
        case .simulate:
            let new = lengthOfResponses * Double(configuration.simulate.maxNewTokens)
            return product(2, comparisons) * costOfSampling * whole * new
        case .reward:
            let keys = configuration.reward.mixture
            let pair =
                configuration.data.preferences == nil
                ? Double(promptTokens) + 2 * lengthOfResponses * Double(configuration.simulate.maxNewTokens)
                : Double(pairTokens) / 2
            let training = passes(try configuration.reward.trained(of: shape)) * Double(keys.batchComparisons)
            let looks = product(
                keys.maxSteps / max(1, keys.evaluateEvery),
                min(keys.validationComparisons, comparisons)
            )
            /// Of a group's models, which draw so many batches a step between them.
            func fit(batches: Int) -> Double {
                (product(keys.maxSteps, batches) * training + looks) * pair * blocks
            }
            let folds = keys.folds
            let ofEM = keys.assignment == .known && folds > 1 ? 0 : Double(keys.restarts) * iterationsOfEM
            let eStep = Double(comparisons) * pair * blocks
            let tried = keys.groups.map { [$0] } ?? Array(2...max(2, keys.maxGroups))
            let ofGroups = tried.reduce(0.0) { sum, groups in
                let iteration = fit(batches: max(1, folds - 1)) + eStep
                return sum + Double(groups) * (ofEM * iteration + fit(batches: folds) + eStep)
            }
            return fit(batches: folds) + ofGroups
        case .calibrate:
            let keys = configuration.calibrate
            return responses(product(keys.prompts, keys.samplesPerPrompt), models: models + 1, scored: 0)
        case .policy:
            let keys = configuration.policy.training
            let count = product(keys.promptsPerStep, keys.samplesPerPrompt)
            let ofPass = passes(try configuration.policy.trained(of: shape)) * whole
            let update = Double(keys.epochs) * count * response * ofPass
            let step = responses(count, models: models) + update
            // A training that ends at a KL gets there about half-way.
            let steps = Double(keys.steps) / (keys.maxKL == nil ? 1 : 2)
            return Double(configuration.policy.objectives.count) * steps * step
        case .evaluate:
            let keys = configuration.evaluate
            let judges = keys.judges.contains(.reward) ? models : 0
            let policies = configuration.policy.objectives.count + 1
            let answers = product(keys.prompts, keys.samplesPerPrompt)
            let best = Double(keys.bestOf.max() ?? 0) * answers
            return responses(Double(policies) * answers, models: judges) + responses(best, models: models, scored: 0)
        }
    }
}
