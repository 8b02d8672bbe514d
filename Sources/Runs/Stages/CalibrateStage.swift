import Collectives
import Foundation
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Preferences
import Reporting
import RewardMixture
import StrictJSON
import Text

/// Brings the reward models to one origin and unit, on samples of the reference policy.
///
/// Writes `reward/calibration.json`.
func runCalibrate(_ run: RunContext) throws {
    let section = run.configuration.calibrate
    let started = Date()
    try run.dropMetricsOfNoCheckpoint()
    let reference = try run.loadReference()
    let prompts = try run.loadPrompts(reference).training
    let models = try run.loadRewardModels(over: reference)
    run.progress.begin("calibrate", total: 1, unit: "passes")
    let calibration = try calibrate(
        section.method,
        reference: reference.model,
        prompts: prompts.map(\.tokens),
        promptCount: section.prompts,
        samplesPerPrompt: section.samplesPerPrompt,
        maxNewTokens: run.configuration.policy.training.maxNewTokens,
        endOfText: reference.encoding.endOfTurn,
        rewardModels: models.count,
        rewards: models.rewards,
        seed: run.seed,
        shards: try run.shards().all,
        communicator: run.communicator
    )
    run.progress.advance()
    run.progress.end("\(section.method.rawValue) on \(calibration.prompts) prompts × \(section.samplesPerPrompt)")
    try run.onRoot {
        let text = calibration.json(models: models.names).encoded(pretty: true)
        try writeAtomically(text, to: run.directory.file("reward/calibration.json"))
        func perModel(_ values: [Double]) -> JSONValue {
            var object = JSONObject()
            for (name, value) in zip(models.names, values) { object[name] = .number(value) }
            return .object(object)
        }
        try run.metrics.write(
            stage: Stage.calibrate.rawValue,
            step: 1,
            seconds: Date().timeIntervalSince(started),
            [
                "mean": perModel(calibration.means), "deviation": perModel(calibration.deviations),
                "reference_utility": perModel(calibration.referenceUtilities),
            ]
        )
    }
    guard !run.configuration.reward.mixture.paper else { return }
    try run.onRoot {
        let diagnosis = try Diagnosis(of: run.directory)
        for line in diagnosis.lines { run.progress.say("diagnosis: \(line)") }
        try writeAtomically(
            JSONValue.object(diagnosis.json).encoded(pretty: true),
            to: run.directory.file("reward/diagnosis.json")
        )
    }
}
