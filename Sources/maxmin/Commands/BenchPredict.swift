import ArgumentParser
import Failures
import Runs
import StrictJSON

struct BenchPredict: ParsableCommand {
    /// `--trainable`.
    enum Trainable: String, CaseIterable, ExpressibleByArgument { case full, lora, head }

    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "What a step costs on numbers of ranks, by the cost model of docs/scaling.md.",
        discussion: """
            Seconds, bytes sent, messages and memory of a rank, from the shape of a model and measured rates of a machine; nothing \
            is run. Weak scaling: every rank has --tokens tokens. Examples:

              maxmin bench predict --preset gpt2-xl --stage reward --groups 2 --ranks-per-node 4 --threads 16
              maxmin bench predict --preset gpt2-xl --stage policy --trainable lora --link 1.25e8 --link-latency 5e-5
            """
    )

    @Option(help: "A shape.")
    var preset = "gpt2"

    @Option(help: "sft, reward, score or policy.")
    var stage: ScalingStage = .reward

    @Option(help: "What is trained: full, lora (adapters on every matrix of the blocks) or head.")
    var trainable: Trainable = .full

    @Option(help: "Rank of LoRA adapters.")
    var loraRank = 8

    @Option(help: "Groups K.")
    var groups = 2

    @Option(help: "Tokens of each rank and step (of each group, for reward and score).")
    var tokens = 4096

    @Option(help: ArgumentHelp("Numbers of ranks.", valueName: "n,n,…"))
    var ranks = "1,2,4,8,16,64,256,1024"

    @Option(help: "Ranks of a node.")
    var ranksPerNode = 4

    @Option(help: "Threads of a rank.")
    var threads = 16

    @Option(help: "Cores of a node.")
    var cores = 64

    @Option(help: "Operations a second of a thread in training steps.")
    var training = MachineRates().training

    @Option(help: "Operations a second of a thread in scoring.")
    var scoring = MachineRates().scoring

    @Option(help: "Operations a second of a thread in sampling.")
    var sampling = MachineRates().sampling

    @Option(help: "Bytes a second of a node's memory.")
    var memory = MachineRates().memory

    @Option(help: "Bytes a second that a rank exchanges with others of its node.")
    var shared = MachineRates().shared

    @Option(help: "Bytes a second of a node's link.")
    var link = MachineRates().link

    @Option(help: "Seconds of a message between nodes.")
    var linkLatency = MachineRates().linkLatency

    @Option(help: "Seconds of a message within a node.")
    var sharedLatency = MachineRates().sharedLatency

    @Flag(help: "Print a JSON object a number of ranks.")
    var json = false

    func validate() throws {
        guard let counts = numbers(ranks), counts.allSatisfy({ $0 >= 1 }) else {
            throw ValidationError("--ranks must be numbers, 1 or more, as 1,2,4")
        }
        for (name, value) in [
            ("lora-rank", loraRank), ("groups", groups), ("tokens", tokens), ("ranks-per-node", ranksPerNode),
            ("threads", threads), ("cores", cores),
        ] where value < 1 {
            throw ValidationError("--\(name) must be 1 or more")
        }
        for (name, value) in [
            ("training", training), ("scoring", scoring), ("sampling", sampling), ("memory", memory),
            ("shared", shared),
            ("link", link),
        ] where !(value > 0 && value.isFinite) {
            throw ValidationError("--\(name) must be above 0")
        }
        for (name, value) in [("link-latency", linkLatency), ("shared-latency", sharedLatency)]
        where !(value >= 0 && value.isFinite) {
            throw ValidationError("--\(name) must be 0 or more")
        }
    }

    func run() throws {
        try requireOneProcess("bench predict")
        var model = CostModel(shape: try shape(preset), stage: stage)
        model.trained =
            switch trainable {
            case .full: .full
            case .lora: .lora(rank: loraRank)
            case .head: .head
            }
        model.groups = groups
        model.tokensPerRank = tokens
        model.threads = threads
        model.ranksPerNode = ranksPerNode
        model.rates.training = training
        model.rates.scoring = scoring
        model.rates.sampling = sampling
        model.rates.memory = memory
        model.rates.shared = shared
        model.rates.link = link
        model.rates.linkLatency = linkLatency
        model.rates.sharedLatency = sharedLatency
        model.rates.cores = cores
        let counts = numbers(ranks) ?? []
        try printingLines { line in
            if json {
                for count in counts {
                    try line(JSONValue.object(model.costs(ranks: count).json(ranks: count)).encoded())
                }
            } else {
                try line(costTable(model, ranks: counts))
            }
        }
    }
}

/// The numbers of a list such as `1,2,4`; nil where it is none.
func numbers(_ list: String, separator: Character = ",") -> [Int]? {
    let parts = list.split(separator: separator, omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    return numbers.count == parts.count ? numbers : nil
}
