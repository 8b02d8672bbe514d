import Collectives
import Failures
import Reporting
import Tensors
import Testing
import Watching

@testable import Runs

@Suite struct ReplicaCheckTests {
    @Test func equalHashesAreFine() {
        #expect(differentReplicas([[1, 2], [1, 2], [1, 2]]) == nil)
    }

    @Test func theMinorityIsNamed() {
        #expect(
            differentReplicas([[1], [2], [1], [1]]) == "the weights of rank 1 differ from those of the other ranks"
        )
        #expect(differentReplicas([[1], [2], [1], [3], [1]])?.hasPrefix("the weights of ranks 1, 3 differ") == true)
    }

    @Test func withoutAMajorityAllAreTold() {
        #expect(
            differentReplicas([[1], [0xAB]])
                == "no majority of ranks has the same weights (hashes: rank 0 01, rank 1 ab)"
        )
    }

    /// A bit that flips on one rank after step 3 is found at the next check, on all ranks.
    @Test(arguments: [2, 3, 4]) func aFlippedBitIsFound(ranks: Int) throws {
        let fault = try Fault("optimizer:1:3:bitflip")
        let reached = try InProcessGroup.run(ranks: ranks) { communicator in
            try watching(communicator, fault: fault) { watched in
                let run = RunContext(
                    configuration: try Configuration(yaml: "run: { replica_check_steps: 4 }", file: "run.yaml"),
                    directory: RunDirectory(path: "unused"),
                    communicator: watched,
                    progress: .silent,
                    metrics: try MetricsWriter(appendingTo: nil)
                )
                let weights = [Tensor(zeros: [1000]), Tensor(zeros: [3])]
                for step in 1...10 {
                    do {
                        try run.checkReplicas(weights, step: step)
                    } catch let failure as Failure {
                        return "\(step) \(failure.code) \(failure.message.contains("rank 1"))"
                    }
                }
                return "the end"
            }
        }
        #expect(reached == Array(repeating: "4 internalError true", count: ranks))
    }
}
