internal import Failures
internal import Files
internal import ModelFiles
internal import Preferences

/// Refuses a run whose stages could not read a file that the configuration names, before any of them is read, counted
/// or cleared for: what is missing or no regular file (a FIFO or a device would be waited for without end), and text
/// that is none.
///
/// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no text or no file.
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
    if let model = configuration.model.path, stages.contains(where: { $0 != .sft && $0 != .report }) {
        _ = try ModelDirectory.configuration(model)
        _ = try ModelDirectory.storedType(model)
        _ = try RegularFile(path: "\(model)/tokenizer.json")
    }
}
