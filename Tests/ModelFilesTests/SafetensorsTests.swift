import Failures
import Foundation
import Tensors
import Testing

@testable import ModelFiles

@Suite struct SafetensorsTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func tensor(_ name: String, _ shape: String, _ start: Int, _ end: Int, type: String = "F32") -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsHeader {
        try SafetensorsFile(path: folder.write("x.safetensors", bytes)).header
    }

    @Test func readsWhatTheFormatAllows() throws {
        let header =
            " {\"__metadata__\":{\"format\":\"pt\"}," + tensor("b", "[2,0]", 8, 8) + "," + tensor("a", "[2]", 0, 8)
            + ","
            + tensor("scalar", "[]", 8, 12) + "," + tensor("e\u{301}", "[1]", 12, 14, type: "BF16") + ","
            + tensor("\u{e9}", "[1]", 14, 16, type: "F16") + "}  "
        let found = try open(safetensors(header, data: Array(repeating: 0, count: 16)))
        #expect(
            found.tensors.map { Array($0.name.utf8) }
                == ["a", "b", "scalar", "e\u{301}", "\u{e9}"].map { Array($0.utf8) }
        )
        #expect(found.tensors.map(\.shape) == [[2], [2, 0], [], [1], [1]])
        #expect(found.metadata.map(\.key) == ["format"])
    }

    @Test func readsEveryFloatingType() throws {
        let header =
            "{" + tensor("f", "[2]", 0, 8) + "," + tensor("h", "[2]", 8, 12, type: "F16") + ","
            + tensor("b", "[2]", 12, 16, type: "BF16") + "}"
        // 1 and −2.5 in each type.
        let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0, 0, 0x3C, 0, 0xC1, 0x80, 0x3F, 0x20, 0xC0]
        let file = try SafetensorsFile(path: folder.write("x.safetensors", safetensors(header, data: data)))
        for stored in file.header.tensors {
            let values = Tensor(zeros: [2])
            try file.read(stored, into: values)
            #expect(values.array() == [1, -2.5], "\(stored.name)")
        }
    }

    @Test func refusesIntegersAsWeights() throws {
        let bytes = safetensors("{" + tensor("i", "[2]", 0, 8, type: "I32") + "}", data: Array(repeating: 0, count: 8))
        let file = try SafetensorsFile(path: folder.write("x.safetensors", bytes))
        let error = failure { try file.read(file.header.tensors[0], into: Tensor(zeros: [2])) }
        #expect(error?.code == .badData)
        #expect(error?.message.contains("I32") == true)
    }

    @Test func refusesMalformedFiles() throws {
        let eight = [UInt8](repeating: 0, count: 8)
        let good = tensor("a", "[2]", 0, 8)
        let cases: [(what: String, bytes: [UInt8], says: String)] = [
            ("empty", [], "too short"),
            ("seven bytes", Array(repeating: 1, count: 7), "too short"),
            ("header length 2⁶³", safetensors("{}", length: 1 << 63), "limit"),
            ("header length u64 max", safetensors("{}", length: .max), "limit"),
            ("header beyond the file", safetensors("{}", length: 3), "in a file of 10"),
            ("header length 0", safetensors(""), "JSON"),
            ("only a brace", safetensors("{"), ""),
            ("no JSON", safetensors("weights!"), ""),
            ("an array", safetensors("[]"), "expected an object"),
            ("text after the JSON", safetensors("{}x"), "after the end"),
            ("zero bytes after the JSON", safetensors("{}\0\0"), ""),
            ("byte-order mark", safetensors("\u{FEFF}{}"), "byte-order mark"),
            ("duplicate names", safetensors("{\(good),\(good)}", data: eight), ""),
            ("escaped duplicate", safetensors("{\(good),\(tensor("\\u0061", "[2]", 0, 8))}", data: eight), ""),
            ("overlap", safetensors("{\(good),\(tensor("b", "[1]", 4, 8))}", data: eight), "overlaps"),
            ("hole at the start", safetensors("{\(tensor("b", "[1]", 4, 8))}", data: eight), "hole"),
            (
                "hole", safetensors("{\(tensor("a", "[1]", 0, 4)),\(tensor("b", "[1]", 8, 12))}", data: eight + eight),
                "hole"
            ),
            ("offsets reversed", safetensors("{\(tensor("a", "[2]", 8, 0))}", data: eight), "end before"),
            ("negative offset", safetensors("{\(tensor("a", "[2]", -8, 0))}", data: eight), "must be in"),
            ("too few data", safetensors("{\(good)}", data: Array(eight.dropLast(2))), "truncated"),
            ("extra data", safetensors("{\(good)}", data: eight + [80, 75, 3, 4]), "extra bytes"),
            ("shape and bytes differ", safetensors("{\(tensor("a", "[3]", 0, 8))}", data: eight), "need 12"),
            ("overflow", safetensors("{\(tensor("a", "[2,\(Int.max)]", 0, 8))}", data: eight), "overflow"),
            ("negative length", safetensors("{\(tensor("a", "[-1,-2]", 0, 8))}", data: eight), "must be in"),
            (
                "unknown type", safetensors("{\(tensor("a", "[2]", 0, 8, type: "F4"))}", data: eight),
                "supported: F64, F32"
            ),
            (
                "nine dimensions", safetensors("{\(tensor("a", "[1,1,1,1,1,1,1,1,2]", 0, 8))}", data: eight),
                "dimensions"
            ),
            (
                "three offsets",
                safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", data: eight), "two"
            ),
            (
                "string offset",
                safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[\"0\",8]}}", data: eight), ""
            ),
            (
                "fraction",
                safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.0]}}", data: eight), ""
            ),
            (
                "exponent",
                safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8e0]}}", data: eight), ""
            ),
            ("no type", safetensors("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", data: eight), "missing"),
            ("foreign field", safetensors("{\"a\":{\"x\":1}}", data: eight), "no field"),
            ("nested metadata", safetensors("{\"__metadata__\":{\"a\":{}}}"), "string"),
            ("number in metadata", safetensors("{\"__metadata__\":{\"a\":1}}"), "string"),
            (
                "huge metadata",
                safetensors("{\"__metadata__\":{\"a\":\"\(String(repeating: "x", count: 1 << 21))\"}}"), "limit"
            ),
            ("deep", safetensors("{\"a\":" + String(repeating: "[", count: 1000)), ""),
            ("LFS pointer", Array("version https://git-lfs.github.com/spec/v1\noid sha256:00".utf8), "LFS pointer"),
        ]
        for (what, bytes, says) in cases {
            let error = failure { try open(bytes) }
            #expect(error?.code == .badData, "\(what): \(error?.description ?? "")")
            #expect(says.isEmpty || error?.message.contains(says) == true, "\(what): \(error?.description ?? "")")
        }
    }

    @Test func refusesInvalidText() throws {
        let invalid = Array("{\"a".utf8) + [0xC0, 0xAF] + Array("\":1}".utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: invalid.count >> (8 * $0)) }
        #expect(failure { try open(length + invalid) }?.code == .badData)
    }

    @Test func refusesTooManyTensorsByCount() throws {
        let members = (0..<70_000).map { tensor("t\($0)", "[0]", 0, 0) }.joined(separator: ",")
        let error = failure { try open(safetensors("{\(members)}")) }
        #expect(error?.message.contains("70000 tensors") == true)
    }

    @Test func refusesAHugeSparseFileAtOnce() throws {
        let path = try folder.write("sparse", safetensors("{}", length: 1 << 35))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 1 << 40)
        try handle.close()
        #expect(failure { try SafetensorsFile(path: path).header }?.code == .badData)
    }

    @Test func refusesWhatIsNoRegularFile() throws {
        #expect(failure { try SafetensorsFile(path: folder.path).header }?.code == .badData)
        #expect(failure { try SafetensorsFile(path: "/dev/zero").header }?.code == .badData)
        #expect(failure { try SafetensorsFile(path: folder.path + "/none").header }?.code == .missingInput)
        let pipe = folder.path + "/pipe"
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        #expect(failure { try SafetensorsFile(path: pipe).header }?.code == .badData)
        let loop = folder.path + "/loop"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(failure { try SafetensorsFile(path: loop).header }?.code == .badData)
    }

    @Test func aFileThatShrinksIsAnError() throws {
        let path = try folder.write(
            "x.safetensors",
            safetensors("{\(tensor("a", "[2000]", 0, 8000))}", data: Array(repeating: 0, count: 8000))
        )
        let file = try SafetensorsFile(path: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 4000)
        try handle.close()
        let error = failure { try file.read(file.header.tensors[0], into: Tensor(zeros: [2000])) }
        #expect(error?.code == .inputOutput)
    }

    @Test func writesWhatItReads() throws {
        let values = Tensor([1, -2, 3.5, .leastNonzeroMagnitude, -0, 1e30], shape: [6])
        let path = folder.path + "/w.safetensors"
        try writeSafetensors([("first", [2, 2]), ("second \"quoted\"", [2])], values: values, to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.header.tensors.map(\.name) == ["first", "second \"quoted\""])
        #expect(file.header.metadata.map(\.value) == ["pt"])
        let first = Tensor(zeros: [2, 2])
        try file.read(file.header.tensors[0], into: first)
        #expect(first.array() == [1, -2, 3.5, .leastNonzeroMagnitude])
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect((size - 24) % 8 == 0)
    }

    @Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
        let path = folder.path + "/dir"
        try FileManager.default.createDirectory(atPath: path + "/inside", withIntermediateDirectories: true)
        // A folder in the file's place makes the last step fail.
        let error = failure { try writeSafetensors([("a", [1])], values: Tensor([1], shape: [1]), to: path) }
        #expect(error?.code == .inputOutput)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["dir"])
        let nowhere = failure {
            try writeSafetensors([("a", [1])], values: Tensor([1], shape: [1]), to: folder.path + "/no/such/file")
        }
        #expect(nowhere?.code == .cannotCreate)
    }
}
