import Collectives
import Optimizers
import Reporting

extension RunContext {
    /// Says what memory the optimizers' moments take on several ranks: 8 bytes of a trained parameter on the rank
    /// that updates it.
    func sayMoments(_ training: String, models: Int, parameters: Int) {
        let ranks = communicator.size
        guard ranks > 1 else { return }
        let shared = configuration.run.exchange == .reproducible ? ranks : 1
        let largest = Slices(of: parameters, ranks: shared).largest
        func mebibytes(_ count: Int) -> String { (Double(8 * models * count) / Double(1 << 20)).formatted(decimals: 1) }
        progress.say(
            "\(training): optimizer moments of \(mebibytes(parameters)) MiB, at most \(mebibytes(largest)) on each of "
                + "\(ranks) ranks"
        )
    }
}
