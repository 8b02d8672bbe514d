import ArgumentParser
import Benchmarks
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
            bounds.count <= 2, least >= 1, least <= most, most <= counts.upperBound
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

              reward-step   Bradley–Terry, forward, backward and AdamW of all parameters, or of adapters: --pairs \
            --length --prompt --lora-rank --top-layers
              score         rewards of comparisons: --pairs --length --prompt
              generate      responses sampled with a key–value cache: --batch --prompt --new
              policy-step   responses sampled, scored by groups and reference, PPO: --batch --prompt --new --groups \
            --epochs
              em-iteration  --epochs steps of every group's model on 8 users' comparisons, then the E-step, and with \
            --top-layers how much faster it is for the trunk cache: --pairs --length --prompt --groups --epochs \
            --lora-rank --top-layers
              allreduce     a gradient summed over the ranks in the order that gives the same bits on any number of \
            them, and the ratio of its bandwidth to MPI_Allreduce's, timed in turn: --mebibytes
              gemm          the largest product

            Products' rate is given as a part of gemm's, measured in turn; time by kind is that of one more \
            repetition. em-iteration and allreduce are work of all ranks together; of the others every rank does its \
            own. The model is random, of a named shape, or read from a directory. Examples:

              maxmin bench reward-step --preset gpt2 --pairs 16 --length 16-512
              mpirun -n 2 --bind-to none maxmin bench allreduce --preset gpt2-tiny --json

            launch/benchmarks/against-pytorch.sh compares the same tasks with PyTorch.
            """
    )

    @Argument(help: "\(BenchTask.allCases.map(\.rawValue).joined(separator: ", ")).")
    var task: BenchTask

    @OptionGroup var subject: BenchSubject

    @Option(
        help: "Comparisons of a step, or of each of em-iteration's users; 8 unless stated.",
        transform: whole(1...1 << 20)
    )
    var pairs: Int?

    @Option(
        help: ArgumentHelp(
            "Tokens of a sequence, or the least and the most of lengths spread evenly; 128 unless stated.",
            valueName: "n or n-m"
        )
    )
    var length: LengthRange?

    @Option(help: "Responses sampled together; 16 unless stated.", transform: whole(1...1 << 20))
    var batch: Int?

    @Option(
        help: "Tokens of a prompt, of a response or of both sequences of a comparison; 8 unless stated.",
        transform: whole(counts)
    )
    var prompt: Int?

    @Option(help: "Tokens of a response; 48 unless stated.", transform: whole(counts))
    var new: Int?

    @Option(help: "Groups, each with a reward model; 2 unless stated.", transform: whole(1...1024))
    var groups: Int?

    @Option(
        help: "Passes over a step's responses, or steps of an M-step; 4 unless stated.",
        transform: whole(1...1 << 20)
    )
    var epochs: Int?

    @Option(help: "MiB that allreduce sums; 256 unless stated.", transform: whole(1...65_536))
    var mebibytes: Int?

    @Option(
        help: "Rank of adapters of every linear layer, trained instead of all parameters.",
        transform: whole(1...1 << 16)
    )
    var loraRank: Int?

    @Option(help: "How many of the last blocks have adapters; all unless stated.", transform: whole(counts))
    var topLayers: Int?

    @Option(help: "Timed repetitions. (default: 5)", transform: whole(1...1 << 20))
    var repeats = 5

    @Option(help: "Threads of each rank; the CPUs it may use unless stated.", transform: whole(1...1024))
    var threads: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        for key in given where !task.keys.contains(key) {
            let own = task.keys.map { "--\($0.rawValue)" }.joined(separator: ", ")
            throw ValidationError(
                "--\(key.rawValue) says nothing of \(task.rawValue), which "
                    + (own.isEmpty ? "has one size" : "is told by \(own)")
            )
        }
        guard topLayers == nil || loraRank != nil else {
            throw ValidationError("--top-layers says which blocks have adapters: give --lora-rank as well")
        }
    }

    /// Which sizes are on the command line.
    private var given: [BenchSize.Key] {
        let options: [(BenchSize.Key, Bool)] = [
            (.pairs, pairs != nil), (.length, length != nil), (.batch, batch != nil), (.prompt, prompt != nil),
            (.new, new != nil), (.groups, groups != nil), (.epochs, epochs != nil), (.mebibytes, mebibytes != nil),
            (.loraRank, loraRank != nil), (.topLayers, topLayers != nil),
        ]
        return options.filter(\.1).map(\.0)
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
