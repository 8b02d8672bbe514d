package import Optimizers
import StrictYAML
package import Watching

/// `run`: name, place and stages of a run.
package struct RunSection: Equatable, Sendable {
    package var name = "maxmin"
    package var directory = "runs/maxmin"
    package var seed: UInt64 = 1
    package var stages: [Stage] = Stage.allCases
    package var threads = 0
    package var reproducible = true
    package var saveEverySteps: Int?
    package var saveEveryMinutes: Double? = 10
    package var keepCheckpoints = 2
    package var deadlines = Deadlines()
    package var replicaCheckSteps = 50
    package var activationCheckpointing = false
    package var trunkCache = true
    package var trunkCacheMemory = 1024
    package var memoryLimit: Int?
    package var tensorboard = true

    mutating func read(_ keys: inout SectionReader) {
        keys.read("name", &name, .text, "Name of the run, for logs and reports.")
        keys.read("directory", &directory, .path, "Where everything that the run makes is written.")
        keys.read("seed", &seed, .seed, "Seed of every random number of the run.")
        keys.read(
            "stages",
            &stages,
            .choices(Stage.self),
            "Stages that `maxmin run` does, always in this order whatever the order here."
        )
        keys.read(
            "threads",
            &threads,
            .integer(.from(0, to: 1024)),
            "Threads of each rank; 0: the CPUs it may use, shared among the ranks of its node."
        )
        keys.read(
            "reproducible",
            &reproducible,
            .flag,
            "Results have the same bits on any number of ranks. false: gradients are summed by MPI_Allreduce and "
                + "every rank "
                + "holds all of the optimizer, to compare with."
        )
        keys.read(
            "save_every_steps",
            &saveEverySteps,
            .optional(.integer(.atLeast(1), unit: "steps")),
            "A checkpoint is saved when training has made this many steps since the last; null: never for that reason."
        )
        keys.read(
            "save_every_minutes",
            &saveEveryMinutes,
            .optional(.number(.above(0), unit: "minutes")),
            "A checkpoint is saved when this time has passed since the last; null: never for that reason."
        )
        keys.read(
            "keep_checkpoints",
            &keepCheckpoints,
            .integer(.from(2, to: 1_000)),
            "Checkpoints that are kept of a training under way; an older one goes when a newer one has been read back."
        )
        deadlines.read(&keys)
        keys.read(
            "replica_check_steps",
            &replicaCheckSteps,
            .integer(.atLeast(0), unit: "steps"),
            "Every so many training steps all ranks compare a hash of their weights; 0: never."
        )
        keys.read(
            "activation_checkpointing",
            &activationCheckpointing,
            .flag,
            "Training keeps no more of a block than its input and computes the rest again: less memory, a third more "
                + "time, "
                + "the same bits."
        )
        keys.read(
            "trunk_cache",
            &trunkCache,
            .flag,
            "What lies below the first trained block is computed once for each response and kept. false: computed "
                + "whenever it is needed, with the same bits."
        )
        keys.read(
            "trunk_cache_memory",
            &trunkCacheMemory,
            .integer(.atLeast(0), unit: "MiB"),
            "Memory of each rank for that; what it has no room for goes to a file in the run directory, which ends "
                + "with the run."
        )
        keys.read(
            "memory_limit",
            &memoryLimit,
            .optional(.integer(.atLeast(1), unit: "MiB")),
            "Memory of each node that the run may plan for; a run that needs more is refused. null: what is available "
                + "when it starts."
        )
        keys.read(
            "tensorboard",
            &tensorboard,
            .flag,
            "Figures, histograms of rewards and samples are also written for TensorBoard, to tensorboard/ in the run "
                + "directory."
        )
    }
}

extension RunSection {
    /// How ranks sum gradients and share updates.
    package var reduction: GradientReduction { reproducible ? .reproducible : .allReduce }
}

extension Deadlines {
    /// `run.deadline_…`, each null or a number of seconds.
    fileprivate mutating func read(_ keys: inout SectionReader) {
        func read(_ kind: String, _ limit: inout Double, _ work: String) {
            var seconds: Double? = limit
            keys.read(
                "deadline_\(kind)",
                &seconds,
                .optional(.number(.above(0), unit: "seconds")),
                "Longest time without progress while \(work); then the watchdog ends the run (exit code 86). null: no "
                    + "limit."
            )
            limit = seconds ?? .infinity
        }
        read("setup", &setup, "reading models and data")
        read("rollout", &rollout, "sampling a batch of responses")
        read("score", &score, "scoring or rewarding a shard's texts")
        read("step", &step, "computing a shard's gradients, summing them, or updating weights")
        read("checkpoint", &checkpoint, "writing results or a checkpoint")
    }
}
