import MaxMinPolicy
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
}
