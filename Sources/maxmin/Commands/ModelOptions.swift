import ArgumentParser
import Foundation
import ModelTools
import Runs
package import Text

/// What every command that works on one model takes.
struct ModelOptions: ParsableArguments {
    @Option(help: "Hugging Face model directory.")
    var model: String

    @Option(help: "PEFT adapter directory, to be used over the model.")
    var adapter: String?

    @Option(
        help:
            "Type of the operands of products: fp32, bf16, or auto (bf16 where the CPU has instructions for it)."
    )
    var precision: ModelSection.Precision = .fp32

    @Option(help: "Threads; default: the CPUs that this process may use.", transform: whole(1...1024))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(name: .customLong("allow-nonfinite"), help: "Take weights and results that are NaN or infinite.")
    var allowNonFinite = false

    @OptionGroup var links: LinkOptions

    /// The model that is asked for, under a chat template.
    func request(_ chat: ChatOptions) -> ModelRequest {
        var request = ModelRequest(model, adapter: adapter)
        request.template = chat.chatTemplate
        request.precision = precision
        request.threads = threads
        request.allowNonFinite = allowNonFinite
        request.followSymlinks = links.followSymlinks
        return request
    }
}

/// Which files weights may be.
struct LinkOptions: ParsableArguments {
    @Flag(help: "Accept weights that are symbolic links to files outside their directory, as in a Hub cache.")
    var followSymlinks = false
}

/// What stands around the turns of a prompt.
struct ChatOptions: ParsableArguments {
    @Option(
        help:
            "Chat template of prompts; default: the one noted when the model was trained, or that its directory holds."
    )
    var chatTemplate: ChatTemplate?
}

extension ModelSection.Precision: ExpressibleByArgument {}

extension ChatTemplate: ExpressibleByArgument {}

/// Runs `body` with a function that prints a line on standard output.
func printingLines(_ body: ((String) throws -> Void) throws -> Void) throws {
    var output = LineOutput()
    do {
        try body { try output.line($0) }
    } catch {
        // Lines before the one at fault are results.
        try output.flush()
        throw error
    }
    try output.flush()
}
