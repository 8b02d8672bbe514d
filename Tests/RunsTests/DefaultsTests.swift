import MaxMinPolicy
import Optimizers
import RewardMixture
import Testing

@testable import Runs

/// The rooms state the defaults of their settings; the configuration must state the same.
@Suite struct DefaultsTests {
    @Test func rewardDefaultsAreTheRooms() throws {
        let (section, settings) = (try Configuration(yaml: "", file: "run.yaml").reward, RewardMixtureSettings())
        #expect(section.groups == settings.groups)
        #expect(section.assignment == settings.assignment)
        #expect(section.start == settings.start)
        #expect(section.restarts == settings.restarts)
        #expect(section.maxIterations == settings.maxIterations)
        #expect(section.tolerance == settings.tolerance)
        #expect(section.temperature == settings.temperature)
        #expect(section.temperatureDecay == settings.temperatureDecay)
        #expect(Float(section.optimizer.learningRate) == settings.learningRate)
        #expect(section.optimizer.schedule == settings.schedule)
        #expect(section.optimizer.warmupSteps == settings.warmupSteps)
        #expect(Float(section.optimizer.weightDecay) == settings.weightDecay)
        #expect(Float(section.optimizer.clipNorm) == settings.clipNorm)
        #expect(section.batchComparisons == settings.batchComparisons)
        #expect(section.maxSteps == settings.maxSteps)
        #expect(section.evaluateEvery == settings.evaluateEvery)
        #expect(section.patience == settings.patience)
    }

    @Test func policyDefaultsAreTheRooms() throws {
        let (section, settings) = (try Configuration(yaml: "", file: "run.yaml").policy, PolicySettings())
        #expect(section.algorithm == settings.algorithm)
        #expect(Float(section.beta) == settings.beta)
        #expect(section.kl == settings.klControl)
        #expect(Float(section.klTarget) == settings.klTarget)
        #expect(Float(section.klHorizon) == settings.klHorizon)
        #expect(section.steps == settings.steps)
        #expect(section.promptsPerStep == settings.promptsPerStep)
        #expect(section.samplesPerPrompt == settings.samplesPerPrompt)
        #expect(section.maxNewTokens == settings.maxNewTokens)
        #expect(Float(section.temperature) == settings.temperature)
        #expect(Float(section.optimizer.learningRate) == settings.learningRate)
        #expect(section.optimizer.schedule == settings.schedule)
        #expect(section.optimizer.warmupSteps == settings.warmupSteps)
        #expect(section.epochs == settings.epochs)
        #expect(section.minibatches == settings.minibatches)
        #expect(Float(section.clip) == settings.clip)
        #expect(Float(section.valueClip) == settings.valueClip)
        #expect(Float(section.valueCoefficient) == settings.valueCoefficient)
        #expect(Float(section.lambda) == settings.lambda)
        #expect(Float(section.gamma) == settings.gamma)
        #expect(Float(section.missingEOSPenalty) == settings.missingEOSPenalty)
        #expect(section.targetKL == nil && settings.targetKL == 0)
        #expect(section.maxBadSteps == settings.maxBadSteps)
        #expect(Float(section.halfLife) == settings.halfLife)
        #expect(Float(section.softminTemperature) == settings.softminTemperature)
        #expect(Float(section.mirrorRate) == settings.mirrorRate)
        #expect(Float(section.alpha) == settings.alpha)
        #expect(Float(section.nominalMix) == settings.nominalMix)
    }

    /// No key is read and then forgotten: another value gives other settings.
    @Test(arguments: [
        "groups: 3", "assignment: soft", "start: random", "restarts: 2", "max_iterations: 3", "tolerance: 0.5",
        "temperature: 2", "temperature_decay: 0.75", "learning_rate: 0.5", "schedule: linear", "warmup_steps: 3",
        "weight_decay: 0.5", "clip_norm: 3", "batch_comparisons: 3", "max_steps: 3", "evaluate_every: 3", "patience: 2",
    ])
    func rewardKeysReachTheMixture(line: String) throws {
        let configuration = try Configuration(yaml: "reward: { \(line) }", file: "run.yaml")
        let settings = RewardMixtureSettings(configuration.reward, model: configuration.model, seed: 0)
        #expect(settings != RewardMixtureSettings())
    }

    /// Likewise, for the policy.
    @Test(arguments: [
        "algorithm: ppo", "beta: 0.5", "kl: adaptive", "kl_target: 3", "kl_horizon: 3", "steps: 3",
        "prompts_per_step: 3",
        "samples_per_prompt: 3", "max_new_tokens: 3", "temperature: 3", "learning_rate: 0.5", "schedule: linear",
        "warmup_steps: 3", "epochs: 3", "minibatches: 3", "clip: 0.5", "value_clip: 0.5", "value_coefficient: 3",
        "lambda: 0.5", "gamma: 0.5", "missing_eos_penalty: 3", "target_kl: 3", "max_bad_steps: 4", "half_life: 3",
        "softmin_temperature: 3", "mirror_rate: 3", "alpha: 3", "nominal_mix: 0.5",
    ])
    func policyKeysReachTheTraining(line: String) throws {
        let configuration = try Configuration(yaml: "policy: { \(line) }", file: "run.yaml")
        let section = configuration.policy
        #expect(PolicySettings(section, model: configuration.model, objective: .maxmin) != PolicySettings())
    }

    /// The optimizer's own keys are taken by another way.
    @Test func policyDecayAndClippingReachTheOptimizer() throws {
        let section = try Configuration(yaml: "policy: { weight_decay: 0.5, clip_norm: 3 }", file: "run.yaml").policy
        #expect(section.optimizer.adamW.weightDecay == 0.5 && section.optimizer.adamW.clipNorm == 3)
    }

    @Test(arguments: PolicySection.Objective.allCases)
    func objectivesKeepTheirNames(objective: PolicySection.Objective) throws {
        let configuration = try Configuration(yaml: "", file: "run.yaml")
        let section = configuration.policy
        let name = objective == .maxminUncalibrated ? "maxmin" : objective.rawValue
        #expect(PolicySettings(section, model: configuration.model, objective: objective).objective.rawValue == name)
    }
}
