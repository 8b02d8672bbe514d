import ArgumentParser
import Collectives
import Failures
import LanguageModels
import Runs
import StrictJSON
import Tensors

extension BenchTask: ExpressibleByArgument {}

/// Tokens of sequences: a number, or the least and the most.
struct LengthRange: ExpressibleByArgument {
    let range: ClosedRange<Int>

    init?(argument: String) {
        guard let bounds = numbers(argument, separator: "-"), let least = bounds.first, let most = bounds.last,
            bounds.count <= 2, least >= 1, least <= most
        else { return nil }
        range = least...most
    }
}

struct BenchOneTask: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "Times one task.",
        discussion: """
            Tasks, and the options that tell their work:

              reward-step   Bradley–Terry, forward, backward and AdamW of all parameters, or of adapters: --pairs --length \
            --prompt --lora-rank --top-layers
              score         rewards of comparisons: --pairs --length --prompt
              generate      responses sampled with a key–value cache: --batch --prompt --new
              policy-step   responses sampled, scored by groups and reference, PPO: --batch --prompt --new --groups --epochs
              em-iteration  --epochs steps of every group's model on 8 users' comparisons, then the E-step, and with --top-layers how \
            much faster it is for the trunk cache: --pairs --length --prompt --groups --epochs --lora-rank --top-layers
              allreduce     a gradient summed over the ranks in the order that gives the same bits on any number of them, and \
            the ratio of its bandwidth to MPI_Allreduce's, timed in turn: --mebibytes
              gemm          the largest product

            Products' rate is given as a part of gemm's, measured in turn; time by kind is that of one more repetition. em-iteration \
            and allreduce are work of all ranks together; of the others every rank does its own. The model is random, of a named \
            shape, or read from a directory. Examples:

              maxmin bench reward-step --preset gpt2 --pairs 16 --length 16-512
              mpirun -n 2 --bind-to none maxmin bench allreduce --preset gpt2-tiny --json

            launch/benchmarks/against-pytorch.sh compares the same tasks with PyTorch.
            """
    )

    @Argument(help: "\(BenchTask.allCases.map(\.rawValue).joined(separator: ", ")).")
    var task: BenchTask

    @OptionGroup var subject: BenchSubject

    @Option(help: "Comparisons of a step, or of each of em-iteration's users; 8 unless stated.")
    var pairs: Int?

    @Option(
        help: ArgumentHelp(
            "Tokens of a sequence, or the least and the most of lengths spread evenly; 128 unless stated.",
            valueName: "n or n-m"
        )
    )
    var length: LengthRange?

    @Option(help: "Responses sampled together; 16 unless stated.")
    var batch: Int?

    @Option(help: "Tokens of a prompt, of a response or of both sequences of a comparison; 8 unless stated.")
    var prompt: Int?

    @Option(help: "Tokens of a response; 48 unless stated.")
    var new: Int?

    @Option(help: "Groups, each with a reward model; 2 unless stated.")
    var groups: Int?

    @Option(help: "Passes over a step's responses, or steps of an M-step; 4 unless stated.")
    var epochs: Int?

    @Option(help: "MiB that allreduce sums; 256 unless stated.")
    var mebibytes: Int?

    @Option(help: "Rank of adapters of every linear layer, trained instead of all parameters.")
    var loraRank: Int?

    @Option(help: "How many of the last blocks have adapters; all unless stated.")
    var topLayers: Int?

    @Option(help: "Timed repetitions.")
    var repeats = 5

    @Option(help: "Threads of each rank; the CPUs it may use unless stated.")
    var threads: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard repeats >= 1 else { throw ValidationError("--repeats must be 1 or more") }
        guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
        for (key, _) in given where !task.keys.contains(key) {
            let own = task.keys.map { "--\($0.rawValue)" }.joined(separator: ", ")
            throw ValidationError(
                "--\(key.rawValue) says nothing of \(task.rawValue), which "
                    + (own.isEmpty ? "has one size" : "is told by \(own)")
            )
        }
        for (key, value) in given where value < 1 { throw ValidationError("--\(key.rawValue) must be 1 or more") }
        guard topLayers == nil || loraRank != nil else {
            throw ValidationError("--top-layers says which blocks have adapters: give --lora-rank as well")
        }
        guard mebibytes ?? 1 <= 65_536 else { throw ValidationError("--mebibytes must be from 1 to 65536") }
    }

    /// The sizes on the command line.
    private var given: [(key: BenchSize.Key, value: Int)] {
        let options: [(BenchSize.Key, Int?)] = [
            (.pairs, pairs), (.length, length?.range.lowerBound), (.batch, batch), (.prompt, prompt), (.new, new),
            (.groups, groups), (.epochs, epochs), (.mebibytes, mebibytes), (.loraRank, loraRank),
            (.topLayers, topLayers),
        ]
        return options.compactMap { key, value in value.map { (key, $0) } }
    }

    private var size: BenchSize {
        var size = BenchSize()
        size.pairs = pairs ?? size.pairs
        size.length = length?.range ?? size.length
        size.batch = batch ?? size.batch
        size.prompt = prompt ?? size.prompt
        size.new = new ?? size.new
        size.groups = groups ?? size.groups
        size.epochs = epochs ?? size.epochs
        size.mebibytes = mebibytes ?? size.mebibytes
        size.loraRank = loraRank
        size.topLayers = topLayers
        return size
    }

    func run() throws {
        try onEveryRank { communicator, suggestedThreads in
            let threads = threads ?? suggestedThreads
            try useThreads(threads)
            let model = try subject.load(
                standard: "gpt2",
                isFrozen: task == .score || task == .generate || loraRank != nil
            )
            if let topLayers, topLayers > model.configuration.layers {
                throw Failure(.usage, "the model has \(model.configuration.layers) blocks", at: "--top-layers")
            }
            let result = try bench(
                task,
                model: model,
                named: subject.model ?? subject.preset ?? "gpt2",
                size: size,
                repeats: repeats,
                threads: threads,
                communicator: communicator
            )
            guard communicator.rank == 0 else { return }
            var output = LineOutput()
            try output.line(json ? JSONValue.object(result.json).encoded() : result.line)
            try output.flush()
        }
    }
}
