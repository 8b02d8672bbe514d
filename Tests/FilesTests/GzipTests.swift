import Failures
import Foundation
import Testing

@testable import Files

@Suite struct GzipTests {
    /// What `printf 'one\ntwo\n' | gzip -n` writes.
    let small: [UInt8] = [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xCB, 0xCF, 0x4B, 0xE5, 0x2A, 0x29, 0xCF, 0xE7, 2, 0, 0xE6, 0x0B, 0xBA,
        0x12,
        8, 0, 0, 0,
    ]

    func read(_ bytes: [UInt8]) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "maxmin-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let blocks = try InputBlocks(path: file.path)
        var text: [UInt8] = []
        while case let block = try blocks.next(), !block.isEmpty { text += block }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes in gzip's form, by the program gzip.
    func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-c"]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        let written = Data(bytes)
        DispatchQueue.global().async {
            input.fileHandleForWriting.write(written)
            try? input.fileHandleForWriting.close()
        }
        return Array(output.fileHandleForReading.readDataToEndOfFile())
    }

    @Test func readsPlainAndCompressedFiles() throws {
        #expect(try read(Array("one\ntwo\n".utf8)) == "one\ntwo\n")
        #expect(try read(small) == "one\ntwo\n")
        #expect(try read([]) == "")
    }

    @Test func readsSeveralMembersAndZerosAfterThem() throws {
        #expect(try read(small + small + [0, 0, 0]) == "one\ntwo\none\ntwo\n")
    }

    @Test func readsWhatIsLongerThanItsBlocks() throws {
        // Of few different bytes, so that one compressed block becomes many.
        let text = (0..<1_000_000).map { UInt8(ascii: "a") + UInt8($0 * $0 / 1000 % 3) }
        #expect(try Array(read(gzip(text)).utf8) == text)
    }

    @Test(arguments: [10, 20, 27]) func refusesACutFile(length: Int) {
        let refusal = #expect(throws: Failure.self) { try read(Array(small[..<length])) }
        #expect(refusal?.code == .badData && refusal?.message.contains("ends too early; copy or download") == true)
    }

    /// The method, a byte of the text, its CRC-32 and its length.
    @Test(arguments: [2, 12, 21, 25]) func refusesADamagedFile(index: Int) {
        var damaged = small
        damaged[index] ^= 0x10
        let refusal = #expect(throws: Failure.self) { try read(damaged) }
        #expect(refusal?.code == .badData && refusal?.message.contains("damaged") == true, "\(refusal?.message ?? "")")
    }

    @Test func refusesOtherBytesAfterTheLastMember() {
        let refusal = #expect(throws: Failure.self) { try read(small + Array("junk".utf8)) }
        #expect(refusal?.message.contains("damaged (incorrect header check) at byte") == true)
    }

    @Test func refusesWhatBecomesFarLonger() throws {
        let zeros = try gzip([UInt8](repeating: 0, count: 3 << 20))
        let decoder = GzipDecoder(path: "zeros.gz", freeBytes: 1 << 20)
        let refusal = #expect(throws: Failure.self) { try decoder.decode(zeros) }
        #expect(refusal?.message.contains("more than 200 times as long") == true)
        #expect(try GzipDecoder(path: "zeros.gz").decode(zeros).count == 3 << 20)
    }
}
