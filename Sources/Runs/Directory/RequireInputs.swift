package import Failures
import Files
import Foundation
import Judging
import ModelFiles
import Preferences
import Text

/// Refuses a run whose stages could not use a file that the configuration names, before any of them is counted or
/// cleared for, or a model is trained: what is missing or no regular file (a FIFO or a device would be waited for
/// without end), bad lines, fewer prompts than are held out, and a key of a judge that is not there.
///
/// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no file, or holds
///   something else.
package func requireInputs(of stages: [Stage], in configuration: Configuration) throws(Failure) {
    let data = configuration.data
    if stages.contains(.evaluate), configuration.evaluate.judges.contains(.llm) {
        _ = try configuration.evaluate.llm.key()
    }
    for stage in stages {
        if let path = data.file(readBy: stage) { try requireText(path) }
    }
    // What the template of the model's directory cannot render shows when that is read.
    let options = data.loadOptions(data.chatTemplate ?? .none)
    if let path = data.text, stages.contains(.sft) {
        if configuration.model.path == nil {
            _ = try loadTexts(path, options: options)
        } else {
            _ = try loadTrainingTexts(path, options: options, under: data.chatTemplate)
        }
    }
    let readsPrompts = !Set(stages).isDisjoint(with: [.simulate, .calibrate, .policy, .evaluate])
    var prompts: Int?
    if let path = data.preferences, stages.contains(.reward) || readsPrompts && data.prompts == nil {
        let users = try loadPreferences(path, options: options).users
        if readsPrompts { prompts = promptSet(of: users).count }
    }
    if let path = data.prompts, readsPrompts {
        prompts = Set(try loadPromptTexts(path, options: options).prompts).count
    }
    if let prompts, let path = data.prompts ?? data.preferences {
        try requirePrompts(prompts, heldOut: data.heldOutPrompts, of: path)
    }
    if let model = configuration.model.path, stages.contains(where: { $0 != .report }) {
        _ = try ModelDirectory.configuration(model)
        _ = try ModelDirectory.storedType(model, followSymlinks: configuration.model.followSymlinks)
        _ = try RegularFile(path: "\(model)/tokenizer.json")
    }
}

extension LLMJudgeSection {
    /// The endpoint's key, from this process's environment; nil where it needs none.
    package func key() throws(Failure) -> String? { try endpoint.key(in: ProcessInfo.processInfo.environment) }
}

extension DataSection {
    /// The file that a stage reads; nil: none, or what an earlier stage or the program itself has.
    func file(readBy stage: Stage) -> String? {
        switch stage {
        case .sft: text
        case .reward: preferences
        case .simulate, .calibrate, .policy, .evaluate: prompts ?? preferences
        case .report: nil
        }
    }
}
