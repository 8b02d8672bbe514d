package import StrictJSON

/// What a run left, for its report; what a stage that was not done would have left is nil or empty.
package struct ReportedRun {
    /// A stage that was done: how long it took, and its memory where that was noted.
    package struct DoneStage: Equatable {
        package let name: String
        package let seconds: Double?
        package let peakBytes: Int?
        package let plannedBytes: Int?

        /// States what was noted.
        package init(name: String, seconds: Double?, peakBytes: Int?, plannedBytes: Int?) {
            self.name = name
            self.seconds = seconds
            self.peakBytes = peakBytes
            self.plannedBytes = plannedBytes
        }
    }

    /// `run.name`.
    package var name: String
    /// The run directory, as a person gave it.
    package var directory: String
    /// `config.yaml`.
    package var configuration: String
    /// The value of every key, by `section.key`.
    package var keys: [String: String] = [:]
    /// `environment.json`.
    package var environment: JSONFields?
    /// `reward/mixture.json`.
    package var mixture: JSONFields?
    /// `reward/responsibilities.json`.
    package var responsibilities: JSONFields?
    /// What `maxmin diagnose` prints, and its object.
    package var diagnosis: (lines: [String], fields: JSONFields)?
    /// Why there is no diagnosis, where a run that did the stage `reward` has none of this build's.
    package var undiagnosed: String?
    /// `evaluation.json`.
    package var evaluation: JSONFields?
    /// `metrics.jsonl`.
    package var metrics = MetricsTable()
    /// The stages that were done, in order.
    package var stages: [DoneStage] = []

    /// A run of which nothing else is known yet.
    package init(name: String, directory: String, configuration: String) {
        self.name = name
        self.directory = directory
        self.configuration = configuration
    }
}
