import Evaluation
import Failures
import MaxMinPolicy
import ModelFiles
import Reporting
import StrictJSON
import Text

/// What `README.md` of a model directory says, beside what the run's configuration does.
struct ModelCard {
    /// What the model is.
    enum Kind {
        case reference, rewardModel, policy
    }

    let kind: Kind
    /// Its directory in the run directory.
    let directory: String
    /// How it was trained, in a sentence.
    let method: String
    /// What it was trained on.
    let data: String
    /// How well it does, as a table in Markdown; nil where that is not known yet.
    var results: String?
}

extension RunContext {
    /// Writes the cards of models that are written already; on the root.
    func save(_ cards: [ModelCard], madeBy stage: Stage) throws(Failure) {
        let base = stage == .sft ? configuration.model.path : try baseName()
        // Reads the stage's input files.
        let hash = try configurationHash(upTo: stage)
        for card in cards {
            let path = directory.file(card.directory)
            let text = card.text(
                configuration,
                base: base,
                isAdapter: AdapterDirectory.isAdapter(path),
                template: try Provenance(directory: path)?.template.rawValue,
                hash: hash
            )
            try writeAtomically(text, to: "\(path)/README.md")
        }
    }

    /// The reference, as a card names it.
    private func baseName() throws(Failure) -> String {
        let path = try referencePath()
        return path == directory.file("reference") ? "reference" : path
    }

    /// Checksum of all that the results up to a stage depend on.
    private func configurationHash(upTo stage: Stage) throws(Failure) -> String {
        let keys = try configuration.resultKeys(upTo: stage).sorted { $0.key < $1.key }
        return FileSeal(of: Array(keys.map { "\($0.key)=\($0.value)\n" }.joined().utf8)).xxh64
    }

    /// The card of a reward model, with its accuracy as `mixture.json` has it.
    func rewardCard(_ name: String, _ method: String, in mixture: JSONObject) -> ModelCard {
        ModelCard(
            kind: .rewardModel,
            directory: "reward/\(name)",
            method: method,
            data: configuration.data.preferences.map { "the comparisons in `\($0)`" }
                ?? "comparisons of simulated users, `preferences.jsonl` of the run",
            results: accuracyTable(of: mixture["rewards"]?.object?[name])
        )
    }

    /// The card of an objective's policy, with its win rates where they are known.
    func policyCard(_ objective: String, _ evaluated: PolicyEvaluation? = nil) -> ModelCard {
        let settings = configuration.policy.training
        return ModelCard(
            kind: .policy,
            directory: "policy/\(objective)",
            method: "\(settings.algorithm.rawValue) on the groups' calibrated rewards, objective `\(objective)`, "
                + "at most \(settings.steps) steps",
            data: (configuration.data.prompts ?? configuration.data.preferences).map { "the prompts of `\($0)`" }
                ?? "openings of the embedded corpus",
            results: evaluated.map(winRateTable)
        )
    }
}

extension ModelCard {
    func text(
        _ configuration: Configuration,
        base: String?,
        isAdapter: Bool,
        template: String?,
        hash: String
    ) -> String {
        let run = configuration.run
        let isReward = kind == .rewardModel
        var rows = [
            ("base", base.map { "`\($0)`" } ?? "none: a new GPT-2 with a tokenizer of its own"),
            ("weights", isAdapter ? "a LoRA adapter of the base" : "a whole model"),
            ("data", data),
            ("method", method),
        ]
        // What an adapter needs has the paths of the run, since neither folder lies in the other.
        let inRun = { (name: String) in "\(run.directory)/\(name)" }
        let own = isAdapter ? inRun(directory) : "."
        let place = isAdapter ? "From the folder where the run was started:" : "In this folder:"
        let base = !isAdapter ? nil : base == "reference" ? inRun("reference") : base ?? "BASE"
        if let template { rows.append(("chat template", "`\(template)`")) }
        rows += [
            ("run", "`\(run.name)`, seed \(run.seed)"),
            ("command", "`maxmin run config.yaml`, with `config.yaml` of the run directory"),
            ("configuration", "XXH64 `\(hash)` of all keys and files that the result depends on"),
        ]
        return """
            \(cardHead(library: isAdapter ? "peft" : "transformers", isReward: isReward))

            # \(run.name): \(directory)

            \(about) Made by `maxmin`, which trains language models for the worst-off group of users (MaxMin-RLHF,
            [arXiv 2402.08925](https://arxiv.org/abs/2402.08925)).

            | | |
            |---|---|
            \(rows.map { "| \($0.0) | \($0.1) |" }.joined(separator: "\n"))

            ## Results

            \(results ?? "None are known yet: the stage `evaluate` measures policies.")

            ## How to load it

            \(place)

            \(howToLoad(own, over: base, isReward: isReward))

            """
    }

    private var about: String {
        switch kind {
        case .reference: "The reference policy, which the policies of the run start from and are compared with."
        case .rewardModel: "A reward model: its logit is the reward of a prompt with a response."
        case .policy: "A policy."
        }
    }

}

/// The metadata that a model card begins with.
package func cardHead(library: String, isReward: Bool) -> String {
    """
    ---
    library_name: \(library)
    pipeline_tag: \(isReward ? "text-classification" : "text-generation")
    tags:
    - maxmin-rlhf
    ---
    """
}

/// The lines of a model card that load what lies at `own`: a whole model, or an adapter of `base`.
package func howToLoad(_ own: String, over base: String? = nil, isReward: Bool) -> String {
    let kind = isReward ? "AutoModelForSequenceClassification" : "AutoModelForCausalLM"
    let labels = isReward ? ", num_labels=1" : ""
    let model =
        base.map { "PeftModel.from_pretrained(\(kind).from_pretrained(\"\($0)\"\(labels)), \"\(own)\")" }
        ?? "\(kind).from_pretrained(\"\(own)\")"
    let imports =
        (base == nil ? [] : ["from peft import PeftModel"]) + ["from transformers import \(kind), AutoTokenizer"]
    let python = imports + ["model = \(model)", "tokenizer = AutoTokenizer.from_pretrained(\"\(own)\")"]
    let path = shellQuoted(own)
    let options = base.map { "--model \(shellQuoted($0)) --adapter \(path)" } ?? "--model \(path)"
    let shell =
        isReward ? "maxmin score \(options) --input texts.jsonl" : "maxmin generate \(options) --prompt \"…\""
    return """
        ```python
        \(python.joined(separator: "\n"))
        ```

        ```sh
        \(shell)
        ```
        """
}

/// The accuracy of a reward model, as `mixture.json` has it, by whose comparisons.
func accuracyTable(of model: JSONValue?) -> String {
    func row(_ name: String, _ value: JSONValue?) -> String {
        guard let figures = value?.object, let mean = figures["mean"]?.number, let low = figures["low"]?.number,
            let high = figures["high"]?.number
        else { return "| \(name) | – |" }
        return "| \(name) | \(points(mean)) | \(points(low)) to \(points(high)) |"
    }
    let byLabel = model?.object?["accuracy"]?.object?.members ?? []
    let rows =
        byLabel.map { row("users labelled \($0.key)", $0.value) }
        + [row("the model's own users", model?.object?["test_accuracy"])]
    return """
        Comparisons that neither training nor assignment saw:

        | comparisons of | accuracy, % | 95 % interval |
        |---|---|---|
        \(rows.joined(separator: "\n"))
        """
}

/// The win rates of a policy, by group and judge.
func winRateTable(of policy: PolicyEvaluation) -> String {
    let rows = policy.judges.flatMap { judge in
        judge.winRate.map { estimate in
            "| \(estimate.group) | \(judge.judge) | \(points(estimate.estimate.mean)) | "
                + "\(points(estimate.estimate.low)) to \(points(estimate.estimate.high)) |"
        }
    }
    return """
        Against the reference, on prompts held out, at a KL of \(shownNats(policy.kl)) nats a response and \
        \(policy.meanTokens.formatted(decimals: 1)) tokens on average:

        | group | judge | win rate, % | 95 % interval |
        |---|---|---|---|
        \(rows.joined(separator: "\n"))
        """
}

private func points(_ share: Double) -> String { (100 * share).formatted(decimals: 1) }
