import Failures
import Files
import Foundation
import StrictJSON

/// Opens a text; what is none that this program reads is refused with the command that makes one of it.
func openText(_ path: String) throws(Failure) -> InputBlocks {
    do throws(Failure) {
        return try InputBlocks(path: path)
    } catch {
        let remedy =
            switch error.code {
            case .missingInput: datasetRemedy(path)
            case .badData: folderRemedy(path)
            default: nil as String?
            }
        guard let remedy else { throw error }
        throw Failure(error.code, "\(error.message); \(remedy)", at: path)
    }
}

/// Why a text that starts with these bytes is none that this program reads, with the remedy; nil where nothing speaks
/// against it.
///
/// `path`: nil for standard input.
func reasonNotUTF8Text(_ start: [UInt8], path: String?) -> String? {
    func begins(_ text: String) -> Bool { start.starts(with: text.utf8) }
    let file = path ?? "FILE"
    if start.starts(with: [0x1F, 0x8B]) { return "gzip-compressed; decompress it first (gunzip)" }
    if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
        return "zstd-compressed; decompress it: zstd -d \(shellQuoted(file))"
    }
    if begins("BZh") { return "bzip2-compressed; decompress it: bunzip2 \(shellQuoted(file))" }
    if start.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) {
        return "xz-compressed; decompress it: unxz \(shellQuoted(file))"
    }
    if begins("PK\u{3}\u{4}") { return "a ZIP archive; unpack it: unzip \(shellQuoted(file))" }
    if begins("PAR1") {
        let code = "import pandas; pandas.read_parquet(\(python(file))).to_json(\(jsonLines(file)), "
        return "a Parquet file; make JSON Lines of it: \(command(code + "orient=\"records\", lines=True)"))"
    }
    // Files of the format, and streams of it as `datasets` caches them.
    if begins("ARROW1") || start.starts(with: [0xFF, 0xFF, 0xFF, 0xFF]) {
        let code = "from datasets import Dataset; Dataset.from_file(\(python(file))).to_json(\(jsonLines(file)))"
        return "an Arrow file; make JSON Lines of it: \(command(code))"
    }
    if begins("version https://git-lfs") { return "a Git LFS pointer; fetch the data with `git lfs pull`" }
    let hasMark = start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF])
    if hasMark || start.count >= 2 && (start[0] == 0) != (start[1] == 0) {
        return "UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"
    }
    return nil
}

/// What to do about a file that is one JSON array.
func arrayRemedy(_ path: String) -> String {
    let code = "import json; [print(json.dumps(row)) for row in json.load(open(\(python(path))))]"
    return "a JSON array; write one object a line: \(command(code)) >\(shellQuoted(linesPath(path)))"
}

/// The command that downloads what may be a data set of the Hugging Face hub, `owner/name`.
private func datasetRemedy(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasPrefix("~") }),
        !["jsonl", "json", "csv", "gz", "parquet", "arrow", "txt"].contains(URL(literalPath: path).pathExtension)
    else { return nil }
    let preset = DataPreset.allCases.first { $0.dataset.lowercased() == path.lowercased() }
    let part = preset?.part.map { ", \(python($0))" } ?? ""
    let code = "from datasets import load_dataset; load_dataset(\(python(path))\(part), split=\"train\")"
    let wanted = preset.map { ", then use data.preset: \($0.rawValue)" } ?? ""
    return "if it is a data set of the Hugging Face hub: "
        + command("\(code).to_json(\(python("\(parts[1]).jsonl")))") + wanted
}

/// The command that makes JSON Lines of a folder that `datasets` wrote, or that holds Parquet files; nil where `path`
/// is no folder.
private func folderRemedy(_ path: String) -> String? {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard unsafe files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return nil }
    let names = (try? files.contentsOfDirectory(atPath: path)) ?? []
    let out = python("\(URL(literalPath: path).standardizedFileURL.lastPathComponent).jsonl")
    if names.contains("dataset_dict.json") || names.contains("state.json") {
        let split = names.contains("dataset_dict.json") ? "[\"train\"]" : ""
        let code = "from datasets import load_from_disk; load_from_disk(\(python(path)))\(split).to_json(\(out))"
        return "make JSON Lines of it: \(command(code))"
    }
    if names.contains(where: { $0.hasSuffix(".parquet") }) {
        let code = "import pandas; pandas.read_parquet(\(python(path))).to_json(\(out), "
        return "make JSON Lines of it: \(command(code + "orient=\"records\", lines=True)"))"
    }
    return "it is a folder; name a file in it"
}

/// The path with `.jsonl` for its ending.
private func linesPath(_ path: String) -> String {
    let kind = URL(literalPath: path).pathExtension
    return (kind.isEmpty ? path : String(path.dropLast(kind.count + 1))) + ".jsonl"
}

private func jsonLines(_ path: String) -> String { python(linesPath(path)) }

/// A Python string.
private func python(_ text: String) -> String { JSONValue.string(text).encoded() }

/// `python3 -c '…'`.
private func command(_ code: String) -> String { "python3 -c \(shellQuoted(code))" }
