import ArgumentParser
import Failures
import Foundation
import ModelTools
import Runs

struct Chat: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talks with a model in a terminal.",
        discussion: """
            Reads a line of yours and prints the answer while it is sampled, under the model's chat template. Without \
            a template each line is a prompt that the model continues. /reset begins a new conversation, \
            /temperature T changes the temperature. Ctrl-C ends an answer; a second one, or one where there is no \
            answer, ends the chat, as Ctrl-D does. Example:

              maxmin chat --model runs/quickstart/policy/maxmin --chat-template none
            """
    )

    @OptionGroup var options: ModelOptions

    @OptionGroup var chat: ChatOptions

    @Option(help: "The system's message.")
    var system: String?

    @Option(help: "Longest answer, in tokens. (default: 256)", transform: whole(counts))
    var maxNewTokens = 256

    @Option(help: "Sampling temperature; 0 is greedy. (default: 0.7)", transform: decimal(1e-6...1e6, orZero: true))
    var temperature = 0.7

    @Option(
        name: .customLong("top-p"),
        help: "Sample from the smallest set with this probability; 1: from all. (default: 1.0)",
        transform: decimal(1e-6...1)
    )
    var topP = 1.0

    @Option(help: "Seed of the random numbers.")
    var seed: UInt64 = 1

    func run() throws {
        try requireOneProcess("chat")
        var request = ChatRequest(model: options.request(chat))
        request.system = system
        request.maxNewTokens = maxNewTokens
        request.temperature = temperature
        request.topP = topP
        request.seed = seed
        let isTerminal = isatty(STDIN_FILENO) == 1
        AnswerInterrupt.install()
        try ModelTools.chat(
            request,
            nextLine: {
                AnswerInterrupt.end()
                // The mark goes where the log does, so that standard output has the answers alone.
                if isTerminal { try? FileHandle.standardError.write(contentsOf: Data("> ".utf8)) }
                let line = readLine()
                if line == nil, isTerminal { say("") }
                AnswerInterrupt.begin()
                return line
            },
            isInterrupted: { AnswerInterrupt.isAsked },
            log: say,
            write: { text in
                do {
                    try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
                } catch {
                    throw Failure(.inputOutput, "standard output cannot be written")
                }
            }
        )
    }
}
