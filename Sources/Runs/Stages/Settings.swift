import Collectives
import LanguageModels
import MaxMinPolicy
import Optimizers
import Preferences
import RewardMixture

// Sections of the configuration as the flat settings that the rooms below take: configuration stops here.

extension OptimizerKeys {
    var adamW: AdamWSettings {
        var settings = AdamWSettings()
        settings.weightDecay = Float(weightDecay)
        settings.clipNorm = Float(clipNorm)
        return settings
    }

    func schedule(steps: Int) -> Schedule {
        Schedule(shape: schedule, peak: Float(learningRate), warmupSteps: warmupSteps, totalSteps: steps)
    }
}

extension RewardSection {
    var fractions: SplitFractions {
        SplitFractions(assign: assignFraction, test: testFraction, validation: validationFraction)
    }
}

extension RewardMixtureSettings {
    init(_ section: RewardSection, model: ModelSection, seed: UInt64) {
        self.init()
        microBatchTokens = model.microBatchTokens
        groups = section.groups
        assignment = section.assignment
        start = section.start
        restarts = section.restarts
        maxIterations = section.maxIterations
        tolerance = section.tolerance
        temperature = section.temperature
        temperatureDecay = section.temperatureDecay
        learningRate = Float(section.optimizer.learningRate)
        schedule = section.optimizer.schedule
        warmupSteps = section.optimizer.warmupSteps
        weightDecay = Float(section.optimizer.weightDecay)
        clipNorm = Float(section.optimizer.clipNorm)
        batchComparisons = section.batchComparisons
        maxSteps = section.maxSteps
        evaluateEvery = section.evaluateEvery
        patience = section.patience
        self.seed = seed
    }
}

extension PolicySettings {
    init(_ section: PolicySection, model: ModelSection, objective name: PolicySection.Objective) {
        self.init()
        microBatchTokens = model.microBatchTokens
        algorithm = section.algorithm
        switch name {
        case .maxmin, .maxminUncalibrated: objective = .maxmin
        case .softmin: objective = .softmin
        case .mirror: objective = .mirror
        case .nash: objective = .nash
        case .alphaFair: objective = .alphaFair
        case .utilitarian: objective = .utilitarian
        case .proportional: objective = .proportional
        case .perResponse: objective = .perResponse
        case .single: objective = .single
        }
        beta = Float(section.beta)
        klControl = section.kl
        klTarget = Float(section.klTarget)
        klHorizon = Float(section.klHorizon)
        steps = section.steps
        promptsPerStep = section.promptsPerStep
        samplesPerPrompt = section.samplesPerPrompt
        maxNewTokens = section.maxNewTokens
        temperature = Float(section.temperature)
        learningRate = Float(section.optimizer.learningRate)
        schedule = section.optimizer.schedule
        warmupSteps = section.optimizer.warmupSteps
        epochs = section.epochs
        minibatches = section.minibatches
        clip = Float(section.clip)
        valueClip = Float(section.valueClip)
        valueCoefficient = Float(section.valueCoefficient)
        lambda = Float(section.lambda)
        gamma = Float(section.gamma)
        missingEOSPenalty = Float(section.missingEOSPenalty)
        targetKL = Float(section.targetKL ?? 0)
        maxBadSteps = section.maxBadSteps
        halfLife = Float(section.halfLife)
        softminTemperature = Float(section.softminTemperature)
        mirrorRate = Float(section.mirrorRate)
        alpha = Float(section.alpha)
        nominalMix = Float(section.nominalMix)
    }
}
