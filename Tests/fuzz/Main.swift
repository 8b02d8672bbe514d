// fuzz                              lists the parsers
// fuzz PARSER SEED COUNT FOLDER     runs COUNT inputs made from the corpus, in processes of their own
// fuzz PARSER SEED FIRST END FOLDER runs the inputs from FIRST to END in this process, with FOLDER to write in
// fuzz PARSER FILE                  runs one input, to see where it goes wrong
//
// No parser of untrusted bytes may trap, hang or take much memory. An input that makes one do so is kept in FOLDER.

import Foundation

// The parsers are reached by @testable, which release builds do not have.
#if DEBUG

#if !LIBFUZZER
@main
#endif
enum Main {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let parser = Parser.all.first(where: { $0.name == name }) else {
            print(Parser.all.map(\.name).joined(separator: "\n"))
            exit(arguments.isEmpty ? 0 : 64)
        }
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        switch (arguments.count, numbers.count) {
        case (2, 0):
            let path = arguments.last ?? ""
            let name = Corpus.plainName(URL(fileURLWithPath: path).lastPathComponent)
            guard let bytes = FileManager.default.contents(atPath: path) else { fatalError("cannot read \(path)") }
            runBatch(parser, [Input(name: name, bytes: Array(bytes))], from: 0, in: temporaryFolder())
        case (4, 2):
            let supervision = Supervision(parser: name, seed: numbers[0], found: arguments.last ?? ".")
            exit(try supervision.run(numbers[1]) ? 0 : 1)
        case (5, 3):
            let mutator = Mutator(Corpus.inputs(of: name), seed: UInt64(numbers[0]))
            let inputs = (numbers[1]..<numbers[2]).lazy.map(mutator.input)
            runBatch(parser, inputs, from: numbers[1], in: arguments.last ?? ".")
        default:
            print("fuzz: use fuzz PARSER SEED COUNT FOLDER")
            exit(64)
        }
    }
}

/// A folder that is not there yet.
func temporaryFolder() -> String { "\(FileManager.default.temporaryDirectory.path)/fuzz-\(UUID().uuidString)" }

#else

@main
enum Main {
    static func main() {
        print("fuzz: only debug builds can fuzz; build without -c release")
        exit(64)
    }
}

#endif
