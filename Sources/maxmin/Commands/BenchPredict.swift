import ArgumentParser
import Benchmarks
import Failures
import Runs
import StrictJSON

/// Operations or bytes a second.
private let rates = 1.0...1e30

struct BenchPredict: ParsableCommand {
    /// `--trainable`.
    enum TrainableParameters: String, CaseIterable, ExpressibleByArgument { case full, lora, head }

    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "What a step costs on numbers of ranks, by the cost model of docs/scaling.md.",
        discussion: """
            Seconds, bytes sent, messages and memory of a rank, from the shape of a model and measured rates of a \
            machine; nothing is run. Weak scaling: every rank has --tokens tokens. Examples:

              maxmin bench predict --preset gpt2-xl --stage reward --groups 2 --ranks-per-node 4 --threads 16
              maxmin bench predict --preset gpt2-xl --stage policy --trainable lora --link 1.25e8 --link-latency 5e-5
            """
    )

    @Option(help: "A shape.")
    var preset = "gpt2"

    @Option(help: "sft, reward, score or policy.")
    var stage: ScalingStage = .reward

    @Option(help: "What is trained: full, lora (adapters on every matrix of the blocks) or head.")
    var trainable: TrainableParameters = .full

    @Option(help: "Rank of LoRA adapters. (default: 8)", transform: whole(1...1 << 16))
    var loraRank = 8

    @Option(help: "Groups K. (default: 2)", transform: whole(1...1024))
    var groups = 2

    @Option(
        help: "Tokens of each rank and step (of each group, for reward and score). (default: 4096)",
        transform: whole(counts)
    )
    var tokens = 4096

    @Option(help: ArgumentHelp("Numbers of ranks.", valueName: "n,n,…"))
    var ranks = "1,2,4,8,16,64,256,1024"

    @Option(help: "Ranks of a node. (default: 4)", transform: whole(1...65_536))
    var ranksPerNode = 4

    @Option(help: "Threads of a rank. (default: 16)", transform: whole(1...1024))
    var threads = 16

    @Option(help: "Cores of a node. (default: 64)", transform: whole(1...65_536))
    var cores = 64

    @Option(
        help: "Operations a second of a thread in training steps. (default: \(MachineRates().training))",
        transform: decimal(rates)
    )
    var training = MachineRates().training

    @Option(
        help: "Operations a second of a thread in scoring. (default: \(MachineRates().scoring))",
        transform: decimal(rates)
    )
    var scoring = MachineRates().scoring

    @Option(
        help: "Operations a second of a thread in sampling. (default: \(MachineRates().sampling))",
        transform: decimal(rates)
    )
    var sampling = MachineRates().sampling

    @Option(help: "Bytes a second of a node's memory. (default: \(MachineRates().memory))", transform: decimal(rates))
    var memory = MachineRates().memory

    @Option(
        help: "Bytes a second that a rank exchanges with others of its node. (default: \(MachineRates().shared))",
        transform: decimal(rates)
    )
    var shared = MachineRates().shared

    @Option(help: "Bytes a second of a node's link. (default: \(MachineRates().link))", transform: decimal(rates))
    var link = MachineRates().link

    @Option(
        help: "Seconds of a message between nodes. (default: \(MachineRates().linkLatency))",
        transform: decimal(1e-12...1e6, orZero: true)
    )
    var linkLatency = MachineRates().linkLatency

    @Option(
        help: "Seconds of a message within a node. (default: \(MachineRates().sharedLatency))",
        transform: decimal(1e-12...1e6, orZero: true)
    )
    var sharedLatency = MachineRates().sharedLatency

    @Flag(help: "Print a JSON object a number of ranks.")
    var json = false

    func validate() throws {
        guard let counts = numbers(ranks), counts.allSatisfy((1...1 << 20).contains) else {
            throw ValidationError("--ranks must be numbers from 1 to \(1 << 20), as 1,2,4")
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
