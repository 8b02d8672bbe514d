package import Optimizers
package import Watching

/// `run`: name, place and stages of a run.
package struct RunSection: Equatable, Sendable {
    package let name: String
    package let directory: String
    package let seed: UInt64
    package let stages: [Stage]
    package let threads: Int
    package let reproducible: Bool
    package let saveEverySteps: Int?
    package let saveEveryMinutes: Double?
    package let keepCheckpoints: Int
    package let deadlines: Deadlines
    package let replicaCheckSteps: Int
    package let activationCheckpointing: Bool
    package let trunkCache: Bool
    package let trunkCacheMemory: Int
    package let memoryLimit: Int?

    init(_ keys: inout SectionReader) {
        name = keys.read("name", .text, "maxmin", "Name of the run, for logs and reports.")
        directory = keys.read("directory", .path, "runs/maxmin", "Where everything that the run makes is written.")
        seed = keys.read("seed", .seed, 1, "Seed of every random number of the run.")
        stages = keys.read(
            "stages",
            .choices(Stage.self),
            Stage.allCases,
            "Stages that `maxmin run` does, always in this order whatever the order here."
        )
        threads = keys.read(
            "threads",
            .integer(.from(0, to: 1024)),
            0,
            "Threads of each rank; 0: the CPUs it may use, shared among the ranks of its node."
        )
        reproducible = keys.read(
            "reproducible",
            .flag,
            true,
            "Results have the same bits on any number of ranks. false: gradients are summed by MPI_Allreduce and every rank "
                + "holds all of the optimizer, to compare with."
        )
        saveEverySteps = keys.read(
            "save_every_steps",
            .optional(.integer(.atLeast(1), unit: "steps")),
            nil,
            "A checkpoint is saved when training has made this many steps since the last; null: never for that reason."
        )
        saveEveryMinutes = keys.read(
            "save_every_minutes",
            .optional(.number(.above(0), unit: "minutes")),
            10,
            "A checkpoint is saved when this time has passed since the last; null: never for that reason."
        )
        keepCheckpoints = keys.read(
            "keep_checkpoints",
            .integer(.from(2, to: 1_000)),
            2,
            "Checkpoints that are kept of a training under way; an older one goes when a newer one has been read back."
        )
        deadlines = Deadlines(&keys)
        replicaCheckSteps = keys.read(
            "replica_check_steps",
            .integer(.atLeast(0), unit: "steps"),
            50,
            "Every so many training steps all ranks compare a hash of their weights; 0: never."
        )
        activationCheckpointing = keys.read(
            "activation_checkpointing",
            .flag,
            false,
            "Training keeps no more of a block than its input and computes the rest again: less memory, a third more time, "
                + "the same bits."
        )
        trunkCache = keys.read(
            "trunk_cache",
            .flag,
            true,
            "What lies below the first trained block is computed once for each comparison and kept. false: computed whenever "
                + "it is needed, with the same bits."
        )
        trunkCacheMemory = keys.read(
            "trunk_cache_memory",
            .integer(.atLeast(0), unit: "MiB"),
            1024,
            "Memory of each rank for that; what it has no room for goes to a file in the run directory, which ends with the run."
        )
        memoryLimit = keys.read(
            "memory_limit",
            .optional(.integer(.atLeast(1), unit: "MiB")),
            nil,
            "Memory of each node that the run may plan for; a run that needs more is refused. null: what is available when it starts."
        )
    }
}

extension RunSection {
    /// How ranks sum gradients and share updates.
    package var exchange: GradientExchange { reproducible ? .reproducible : .allReduce }
}

extension Deadlines {
    /// `run.deadline_…`, each null or a number of seconds.
    fileprivate init(_ keys: inout SectionReader) {
        self.init()
        func read(_ kind: String, _ standard: Double, _ work: String) -> Double {
            keys.read(
                "deadline_\(kind)",
                .optional(.number(.above(0), unit: "seconds")),
                standard,
                "Longest time without progress while \(work); then the watchdog ends the run (exit code 86). null: no limit."
            ) ?? .infinity
        }
        setup = read("setup", setup, "reading models and data")
        rollout = read("rollout", rollout, "sampling a batch of responses")
        score = read("score", score, "scoring or rewarding a shard's texts")
        step = read("step", step, "computing a shard's gradients, summing them, or updating weights")
        checkpoint = read("checkpoint", checkpoint, "writing results or a checkpoint")
    }
}
