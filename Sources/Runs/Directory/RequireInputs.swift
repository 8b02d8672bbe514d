internal import Failures
internal import Preferences

/// Refuses a run whose stages would find no text in a file that the configuration names, before anything of an earlier run is
/// cleared for it.
///
/// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no text.
func requireInputs(of stages: [Stage], in configuration: Configuration) throws(Failure) {
    let data = configuration.data
    for stage in stages {
        let path =
            switch stage {
            case .sft: data.text
            case .reward: data.preferences
            case .simulate, .calibrate, .policy, .evaluate: data.prompts
            case .report: String?.none
            }
        if let path { try requireText(path) }
    }
}
