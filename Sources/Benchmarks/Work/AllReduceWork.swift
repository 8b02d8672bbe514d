import Collectives
import Optimizers
import Tensors

func allReduceWork(_ communicator: any Communicator, mebibytes: Int) -> BenchWork {
    let values = Tensor(zeros: [mebibytes << 18])
    let sum = GradientSum(of: values)
    let tree = ShardTree(hostedCounts: Array(repeating: 1, count: communicator.size))
    return BenchWork(
        run: { communicator in try sum.sum(over: tree, communicator) { _ in } },
        bytes: 4 * values.count,
        alternative: communicator.size == 1
            ? nil
            : BenchAlternative(name: "MPI_Allreduce") { communicator in
                // The sum of shards begins with zeroing the gradient.
                values.fill(0)
                try communicator.allReduceSum(values)
            }
    )
}
