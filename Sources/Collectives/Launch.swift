package import Failures

/// How a launcher (`mpirun`, `srun`) started this process, as its environment variables tell.
///
/// Read before MPI is initialized, and by builds without MPI, so that a run without a launcher never touches MPI and a
/// launcher never starts copies that do not know of each other.
package struct Launch: Equatable, Sendable {
    /// How many ranks were started, where the launcher says so.
    package let ranks: Int?
    /// How many of them run on this node, as far as the launcher says: at least 1.
    package let ranksOnNode: Int

    /// The launch described by `environment`, nil where this process was started by itself.
    ///
    /// Throws where a launcher started several processes without connecting them through MPI.
    package static func detect(in environment: [String: String]) throws(Failure) -> Launch? {
        func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }

        if let ranks = number("OMPI_COMM_WORLD_SIZE") {
            return Launch(ranks: ranks, ranksOnNode: max(1, number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1))
        }
        // A batch script has SLURM_PROCID too; only the tasks of `srun` have SLURM_STEP_ID and more than one task.
        let tasks = environment["SLURM_STEP_ID"] == nil ? nil : number("SLURM_STEP_NUM_TASKS")
        if environment["PMIX_RANK"] != nil || environment["PMI_RANK"] != nil {
            let onNode = mostTasksPerNode(environment["SLURM_STEP_TASKS_PER_NODE"] ?? "")
            return Launch(ranks: tasks ?? number("PMI_SIZE"), ranksOnNode: max(1, onNode))
        }
        if let tasks, tasks > 1 {
            throw Failure(
                .usage,
                "srun started \(tasks) processes that cannot reach each other; use srun --mpi=pmix, or mpirun"
            )
        }
        return nil
    }

    /// The largest count in Slurm's notation: "4(x2),3" is two nodes with 4 tasks and one with 3.
    private static func mostTasksPerNode(_ text: String) -> Int {
        text.split(separator: ",").compactMap { Int($0.prefix { $0.isNumber }) }.max() ?? 1
    }
}
