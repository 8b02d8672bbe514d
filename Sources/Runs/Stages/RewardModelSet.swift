import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import StrictJSON

/// The finished reward models of a run: K groups, then the single model.
struct RewardModelSet {
    let names: [String]
    let models: [LanguageModel]

    var count: Int { models.count }
    var groups: Int { models.count - 1 }

    /// Raw rewards of sequences of tokens: models × sequences.
    func rewards(of sequences: PackedSequences) -> [[Float]] {
        LanguageModels.rewards(of: sequences, under: models)
    }
}

/// The reward models of a run, as its files and folders name them: each group's, then the single one.
func rewardModelNames(groups: Int) -> [String] { (0..<groups).map { "group-\($0)" } + ["single"] }

extension RunContext {
    /// Reads what the `reward` stage wrote.
    func loadRewardModels(over reference: Reference) throws -> RewardModelSet {
        let folder = try directory.require("reward", madeBy: .reward)
        let names = try rewardModelNames(groups: loadMixtureRecord().groupSizes.count)
        let models = try names.map { try reference.load("\(folder)/\($0)", head: .reward) }
        return RewardModelSet(names: names, models: models)
    }

    /// Reads `reward/calibration.json`; policies are refused on rewards without it.
    func loadCalibration(models: [String]) throws -> Calibration {
        let path = try directory.require("reward/calibration.json", madeBy: .calibrate)
        return try Calibration(JSONFields(JSONValue(contentsOfFile: path), at: path), models: models)
    }
}
