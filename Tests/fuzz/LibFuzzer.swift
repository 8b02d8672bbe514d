#if DEBUG

// A second way to run the parsers: with FUZZ_SECONDS `fuzz.sh` builds this with the toolchain's libFuzzer, which looks
// for inputs that reach new code. FUZZ_PARSER names the parser; an input's first byte is the place of its file's name
// in the corpus.

#if LIBFUZZER
import Foundation

private let parser: Parser = {
    let name = ProcessInfo.processInfo.environment["FUZZ_PARSER"] ?? ""
    guard let parser = Parser.all.first(where: { $0.name == name }) else { fatalError("FUZZ_PARSER names no parser") }
    return parser
}()
private let names = Corpus.inputs(of: parser.name).map(\.name)
private let folder = temporaryFolder()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
package func runInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    guard let first = bytes.first else { return 0 }
    run(parser, Input(name: names[Int(first) % names.count], bytes: Array(bytes.dropFirst())), folder)
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// SwiftPM starts a program of this name here, and not in libFuzzer's own `main`.
@_cdecl("fuzz_main")
package func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    var count = count
    var arguments = unsafe arguments
    return unsafe runDriver(&count, &arguments) { unsafe runInput($0, $1) }
}
#endif

#endif
