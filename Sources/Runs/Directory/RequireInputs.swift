import Failures
import Files
import ModelFiles
import Preferences

/// Refuses a run whose stages could not read a file that the configuration names, before any of them is read, counted
/// or cleared for: what is missing or no regular file (a FIFO or a device would be waited for without end), and text
/// that is none.
///
/// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no text or no file.
func requireInputs(of stages: [Stage], in configuration: Configuration) throws(Failure) {
    for stage in stages {
        if let path = configuration.data.file(readBy: stage) { try requireText(path) }
    }
    if let model = configuration.model.path, stages.contains(where: { $0 != .sft && $0 != .report }) {
        _ = try ModelDirectory.configuration(model)
        _ = try ModelDirectory.storedType(model, followSymlinks: configuration.model.followSymlinks)
        _ = try RegularFile(path: "\(model)/tokenizer.json")
    }
}

extension DataSection {
    /// The file that a stage reads; nil: none, or what an earlier stage or the program itself has.
    func file(readBy stage: Stage) -> String? {
        switch stage {
        case .sft: text
        case .reward: preferences
        case .simulate, .calibrate, .policy, .evaluate: prompts
        case .report: nil
        }
    }
}
