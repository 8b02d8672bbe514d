import Collectives
import Evaluation
import Failures
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
    if section.atChance == .refuse { try refuseModelsAtChance(run.loadMixtureRecord(), in: run.directory) }
    let reference = try run.loadReference()
    let prompts = try run.loadPrompts(reference).training
    let models = try run.loadRewardModels(over: reference)
    let asked = section.prompts * section.samplesPerPrompt
    run.progress.begin("calibrate", total: asked, unit: "responses")
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
    run.progress.advance(by: calibration.prompts * section.samplesPerPrompt)
    run.progress.end("\(section.method.rawValue) on \(calibration.prompts) prompts × \(section.samplesPerPrompt)")
    if calibration.prompts < section.prompts {
        let enough = (asked + calibration.prompts - 1) / calibration.prompts
        run.progress.say(
            "there are \(calibration.prompts) training prompts, calibrate.prompts asks for \(section.prompts); "
                + "calibrate.samples_per_prompt: \(enough) would give as many samples"
        )
    }
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

/// Throws where a group's reward model is not known to decide better than chance: no policy is for that group then,
/// whatever its training says.
///
/// The single model may be at chance where groups oppose each other: that is a result.
func refuseModelsAtChance(_ mixture: MixtureRecord, in directory: RunDirectory) throws(Failure) {
    let weak = mixture.ownAccuracy.enumerated().compactMap { group, own -> String? in
        guard let own, own.low <= 0.5 else { return nil }
        let label = mixture.labelOfGroup[group].map { " (\($0))" } ?? ""
        let (low, high) = ((100 * own.low).formatted(decimals: 1), (100 * own.high).formatted(decimals: 1))
        return "the reward model of group-\(group)\(label) decides \((100 * own.mean).formatted(decimals: 1)) % of its "
            + "users' held-out comparisons as they do (95 % interval \(low) to \(high))"
    }
    guard !weak.isEmpty else { return }
    throw Failure(
        .badData,
        "\(weak.joined(separator: ", and ")), which is not above chance; give more comparisons, set fewer "
            + "reward.groups, or take it with calibrate.at_chance: take",
        at: directory.file("reward/mixture.json")
    )
}
