import ArgumentParser
import Runs

/// The help of a command that does one stage.
private func stageCommand(_ stage: Stage, _ abstract: String, needs: String, writes: String) -> CommandConfiguration {
    CommandConfiguration(
        commandName: stage.rawValue,
        abstract: abstract,
        discussion: """
            Needs \(needs); writes \(writes) in the run directory. Example:

              maxmin \(stage.rawValue) launch/runs/quickstart.yaml
            """
    )
}

struct SFT: ParsableCommand {
    static let configuration = stageCommand(
        .sft,
        "Makes the reference policy: a new tokenizer and small GPT-2 on text, or model.path on texts or answers.",
        needs: "nothing, or data.text; with model.path, data.text of `text` lines or of conversations (`messages`)",
        writes: "reference/"
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run([.sft]) }
}

struct Simulate: ParsableCommand {
    static let configuration = stageCommand(
        .simulate,
        "Samples response pairs and labels them for simulated users with stated tastes.",
        needs: "a reference policy (model.path or the stage sft)",
        writes: "preferences.jsonl, and tastes.json with what theory predicts for these tastes"
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run([.simulate]) }
}

struct Reward: ParsableCommand {
    static let configuration = stageCommand(
        .reward,
        "Finds the hidden groups of users and fits a reward model to each.",
        needs: "comparisons (data.preferences or the stage simulate) and a reference policy",
        writes: "reward/ with a model for each group, reward/single and reward/assignments.csv"
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run([.reward]) }
}

struct Calibrate: ParsableCommand {
    static let configuration = stageCommand(
        .calibrate,
        "Brings the groups' rewards to one origin and unit.",
        needs: "the stage reward",
        writes: "reward/calibration.json"
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run([.calibrate]) }
}

struct Policy: ParsableCommand {
    static let configuration = stageCommand(
        .policy,
        "Aligns one policy per objective.",
        needs: "the stages reward and calibrate",
        writes: "policy/ with a model for each objective"
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run([.policy]) }
}
