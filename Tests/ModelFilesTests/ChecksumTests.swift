import Failures
import Foundation
import ModelFiles
import Testing

@Suite struct ChecksumTests {
    private static func checksum(_ pieces: [[UInt8]]) -> String {
        var checksum = Checksum()
        for piece in pieces { checksum.add(piece.span) }
        return checksum.text
    }

    /// From the reference implementation: `xxhash.xxh64(…).hexdigest()` of Python's xxhash 3.
    @Test(arguments: [
        ("", "ef46db3751d8e999"),
        ("a", "d24ec4f1a98c6e5b"),
        ("abc", "44bc2cf5ad770999"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "64f23ecf1609b766"),
        ("Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ])
    func knownHashes(text: String, hash: String) {
        #expect(Self.checksum([Array(text.utf8)]) == hash)
    }

    @Test func piecesDoNotMatter() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for size in [1, 3, 31, 32, 33, 64, 999] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, 1000)]) }
            #expect(Self.checksum(pieces) == Self.checksum([bytes]))
        }
    }

    @Test func everyFlippedBitAndEveryCutIsSeen() throws {
        let folder = try TemporaryFolder()
        let bytes = (0..<97).map { UInt8($0) }
        let path = try folder.write("file", bytes)
        let seal = FileSeal(of: bytes)
        try seal.check(path)
        for bit in 0..<8 * bytes.count {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = try folder.write("file", damaged)
            #expect(failure { try seal.check(path) }?.code == .badData)
        }
        for length in 0..<bytes.count {
            _ = try folder.write("file", Array(bytes[..<length]))
            #expect(failure { try seal.check(path) }?.code == .badData)
        }
    }

    @Test func leftoversOfKilledWritersGo() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/a/.tmp-step-3-x",
            withIntermediateDirectories: true
        )
        for name in ["a/.model.tmp-1", "a/.tmp-step-3-x/.part.tmp-2", "a/model", "a/.hidden"] {
            try folder.write(name, "x")
        }
        try removeTemporaryFiles(below: folder.path)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a").sorted() == [".hidden", "model"]
        )
    }
}
