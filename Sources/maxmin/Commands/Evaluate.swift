import ArgumentParser
import Foundation
import ModelTools
import Reporting
import Runs

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures win rates per group on held-out prompts, or compares any two models.",
        discussion: """
            With a configuration, it is the stage of a run: it needs the stages reward, calibrate and policy, and \
            writes evaluation.json in the run directory. The judges are those of evaluate.judges.

            With --policy, it compares two models without a run, by every --reward-model, --taste and --llm. Each line \
            of the prompts is {"prompt"}, a text or a list of {"role", "content"}. --json prints {"policy", "against", \
            "prompts", "samples_per_prompt", "judges": [{"judge", "name", "win_rate": {"mean", "low", "high"}}], \
            "mean_tokens", "kl", "llm"}; kl is null where the two have different tokens.

            With --dry-run, both print the requests that they would send to a language model as judge, and send none. \
            Examples:

              maxmin evaluate launch/runs/quickstart.yaml
              maxmin evaluate mine.yaml --dry-run
              maxmin evaluate --policy runs/quickstart/policy/maxmin --against runs/quickstart/policy/single \
            --prompts prompts.jsonl --reward-model runs/quickstart/reward/group-0 --taste length
              maxmin evaluate --policy models/a --against models/b --prompts prompts.jsonl --llm judge.yaml
            """
    )

    @Argument(help: "The run's configuration, a YAML file (docs/configuration.md).")
    var config: String?

    @OptionGroup var choices: RunChoices

    @OptionGroup(title: "Two models without a run") var comparison: ComparisonOptions

    @Flag(
        help: "Print the requests to a language model as judge, one JSON object a line, and send none."
    )
    var dryRun = false

    func validate() throws {
        guard comparison.policy != nil else {
            guard config != nil else {
                throw ValidationError("give a configuration, or two models as --policy and --against")
            }
            guard comparison.isEmpty else {
                throw ValidationError("--against, --prompts and the options with them belong to --policy")
            }
            guard !dryRun || choices.isForPreview else {
                throw ValidationError("--dry-run takes no option but --set and --threads")
            }
            return
        }
        guard config == nil else { throw ValidationError("give a configuration or --policy, not both") }
        guard choices.isForModels else {
            throw ValidationError("--policy takes no option of a run but --threads and --json")
        }
        try comparison.validateModels(dryRun: dryRun)
    }

    func run() throws {
        if let request = try comparison.request(choices, dryRun: dryRun) {
            try requireOneProcess("evaluate --policy")
            let progress = ProgressMeter.onStandardError(rank: 0)
            return try printingLines { try compareModels(request, progress: progress, emit: $0) }
        }
        guard let config else { return }
        guard dryRun else { return try choices.run([.evaluate], of: config) }
        try requireOneProcess("evaluate --dry-run")
        try onEveryRank { communicator, suggestedThreads in
            var request = RunRequest(configuration: config)
            request.overrides = choices.allOverrides
            request.suggestedThreads = suggestedThreads
            let progress = ProgressMeter.onStandardError(rank: 0)
            try printingLines { emit in
                try previewJudge(request, communicator: communicator, progress: progress, emit: emit)
            }
        }
    }
}

/// What a comparison of two models takes.
struct ComparisonOptions: ParsableArguments {
    @Option(help: "Hugging Face directory of the model whose win rate is asked for.")
    var policy: String?

    @Option(help: "PEFT adapter directory, to be used over --policy.")
    var adapter: String?

    @Option(help: "Hugging Face directory of the model that it is compared with.")
    var against: String?

    @Option(help: "PEFT adapter directory, to be used over --against.")
    var againstAdapter: String?

    @Option(help: "JSON Lines file of prompts; - is standard input.")
    var prompts: String?

    @Option(help: "Judge: a reward model's directory; may be given several times.")
    var rewardModel: [String] = []

    @Option(
        help: "Hugging Face directory of the model that reward models adapt, where they are adapters."
    )
    var rewardBase: String?

    @Option(
        help: "Judge: a taste (length, sentiment, voice, setting, word-length) or the path of a scorer."
    )
    var taste: [String] = []

    @Option(help: "Judge: a YAML file with the keys of evaluate.llm (docs/judges.md).")
    var llm: String?

    @Option(help: "File that keeps the answers of --llm, so that nothing is asked twice.")
    var answers: String?

    @Option(help: "Responses of each model to each prompt. (default: 1)", transform: whole(1...1024))
    var samples: Int?

    @Option(help: "Longest response, in tokens. (default: 64)", transform: whole(counts))
    var maxNewTokens: Int?

    @Option(
        help: "Sampling temperature; 0 is greedy. (default: 1.0)",
        transform: decimal(1e-6...1e6, orZero: true)
    )
    var temperature: Double?

    @Option(help: "Seed of the random numbers. (default: 1)")
    var seed: UInt64?

    @Option(
        help: "Resamples behind the 95 % intervals. (default: 1000)",
        transform: whole(100...1_000_000)
    )
    var bootstrap: Int?

    @Option(help: "Type of the operands of products: fp32, bf16 or auto. (default: fp32)")
    var precision: ModelSection.Precision?

    @Flag(name: .customLong("allow-nonfinite"), help: "Take weights that are NaN or infinite.")
    var allowNonFinite = false

    @OptionGroup var links: LinkOptions

    /// Whether none of them was given.
    var isEmpty: Bool {
        let texts = [policy, adapter, against, againstAdapter, prompts, rewardBase, llm, answers]
        let numbers = [samples, maxNewTokens, bootstrap]
        return texts.allSatisfy { $0 == nil } && numbers.allSatisfy { $0 == nil } && rewardModel.isEmpty
            && taste.isEmpty && temperature == nil && seed == nil && precision == nil && !allowNonFinite
            && !links.followSymlinks
    }

    /// Throws where options contradict each other.
    func validateModels(dryRun: Bool) throws {
        guard against != nil, prompts != nil else {
            throw ValidationError("--policy needs --against and --prompts")
        }
        guard !rewardModel.isEmpty || !taste.isEmpty || llm != nil else {
            throw ValidationError("name a judge: --reward-model, --taste or --llm")
        }
        guard llm != nil || answers == nil && !dryRun else {
            throw ValidationError("--answers and --dry-run belong to --llm")
        }
        guard rewardBase == nil || !rewardModel.isEmpty else {
            throw ValidationError("--reward-base belongs to --reward-model")
        }
    }

    /// The comparison; nil where none is asked for.
    func request(_ choices: RunChoices, dryRun: Bool) throws -> CompareRequest? {
        guard let policy, let against, let prompts else { return nil }
        func opened(_ model: ModelRequest) -> ModelRequest {
            var model = model
            model.precision = precision ?? model.precision
            model.threads = choices.threads.map { max(1, $0) } ?? ProcessInfo.processInfo.activeProcessorCount
            model.allowNonFinite = allowNonFinite
            model.followSymlinks = links.followSymlinks
            return model
        }
        var request = CompareRequest(
            policy: opened(ModelRequest(policy, adapter: adapter)),
            against: opened(ModelRequest(against, adapter: againstAdapter)),
            prompts: prompts
        )
        request.rewardModels = try rewardModel.map { opened(try ModelRequest(rewardModel: $0, base: rewardBase)) }
        request.tastes = taste
        request.llm = llm
        request.answers = answers
        request.samples = samples ?? request.samples
        request.maxNewTokens = maxNewTokens ?? request.maxNewTokens
        request.temperature = temperature ?? request.temperature
        request.seed = seed ?? request.seed
        request.bootstrap = bootstrap ?? request.bootstrap
        request.json = choices.json
        request.dryRun = dryRun
        return request
    }
}
