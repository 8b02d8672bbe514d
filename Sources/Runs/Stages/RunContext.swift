package import Collectives
import Foundation
import LanguageModels
package import Reporting

/// What every stage works with.
package struct RunContext {
    package let configuration: Configuration
    package let directory: RunDirectory
    package let communicator: any Communicator
    /// Shows progress and says lines to people; silent on all ranks but the root.
    package let progress: ProgressMeter
    /// `metrics.jsonl`; writes on the root only.
    package let metrics: MetricsWriter
    /// What keys and values of a model that samples may take of this rank.
    package let samplingBytes: Int
    /// Whether training goes on from its last checkpoint.
    package let resumes: Bool
    /// What may end the run before it is done.
    package let stop: StopConditions

    /// Describes a run.
    package init(
        configuration: Configuration,
        directory: RunDirectory,
        communicator: any Communicator,
        progress: ProgressMeter,
        metrics: MetricsWriter,
        samplingBytes: Int = LanguageModel.defaultSamplingBytes,
        resumes: Bool = false,
        stop: StopConditions = StopConditions()
    ) {
        self.configuration = configuration
        self.directory = directory
        self.communicator = communicator
        self.progress = progress
        self.metrics = metrics
        self.samplingBytes = samplingBytes
        self.resumes = resumes
        self.stop = stop
    }

    /// Whether this rank writes files and talks.
    package var isRoot: Bool { communicator.rank == 0 }

    /// The key of all randomness.
    var seed: UInt64 { configuration.run.seed }
}

extension RunContext {
    /// The shards of the run, and which of them this rank hosts.
    func shards() throws -> (all: Shards, hosted: Range<Int>) {
        let shards = try Shards(count: configuration.shards, ranks: communicator.size)
        return (shards, shards.hosted(by: communicator.rank))
    }

    /// Does `work` on the root alone, while the others wait; a failure there ends every rank.
    func onRoot(_ work: () throws -> Void) throws {
        if isRoot { try work() }
        try communicator.barrier()
    }

    /// What `work` gives on the root, on every rank; a failure there is every rank's.
    func shared<Value: Codable>(_ work: () throws -> Value) throws -> Value {
        let bytes = try communicator.broadcast(agreeing: { Array(try JSONEncoder().encode(work())) })
        return try JSONDecoder().decode(Value.self, from: Data(bytes))
    }

    /// Cuts the metrics to the last end of a stage or of a part of one, for a stage without checkpoints that is done
    /// again.
    func dropMetricsOfNoCheckpoint() throws {
        if resumes, isRoot { try metrics.cut(to: directory.completedMetrics()) }
    }
}
