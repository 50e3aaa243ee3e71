// Wingmirror · Apache-2.0

import FoundationEssentials
import Glibc
public import JSONSyntax

/// Why files could not be used; each line names the file and, where there is one, the line.
public struct ResourceFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence for each file.
    public let problems: [String]

    /// All problems, one a line.
    public var description: String { problems.joined(separator: "\n") }
}

/// Reads route objects from files and folders.
public struct ResourceFileLoader: Sendable {
    /// What a file may need before it is refused.
    public var limits = DocumentLimits()

    /// Makes a loader with the default limits.
    public init() {}

    /// Whether a path can be read once only: standard input, written `-`, or a pipe.
    public static func isReadOnce(_ path: String) -> Bool {
        path == "-" || FileStamp(path: path)?.isPipe == true
    }

    /// The files at a path: itself, or those of a folder and of all that lie below, in the order of their names.
    ///
    /// In folders, files that end in `.yaml`, `.yml` or `.json` count; names that begin with a dot are passed over, which also
    /// hides the bookkeeping of a mounted ConfigMap. A file named by itself counts whatever its name. A path that does not
    /// exist is a problem.
    func files(at path: String, within parents: [String] = [], _ problems: inout [String]) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else {
            let folder = FileManager.default.currentDirectoryPath
            let note = path.hasPrefix("/") ? "" : " (the path is relative to \(folder), where this was started)"
            problems.append("\(path): no such file or folder\(note)")
            return []
        }
        // Links are followed, as those of a mounted ConfigMap must be; what cannot be listed is taken for a file.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [path] }
        // A link back to a folder above would show the same files again.
        let place = URL(filePath: path).resolvingSymlinksInPath().path()
        guard !parents.contains(place) else { return [] }
        return names.sorted().flatMap { name -> [String] in
            guard !name.hasPrefix(".") else { return [] }
            let below = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            let isNamedAsText = [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
            // A pipe that nothing writes to would be waited for; one that is named by itself was meant.
            guard isNamedAsText || Self.isFolder(below), !Self.isReadOnce(below) else { return [] }
            return files(at: below, within: parents + [place], &problems)
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
    }

    /// The octets of a file, or of standard input for `-`.
    ///
    /// - Throws: what cannot be read, and what is larger than the limit: its size is looked at before anything is read.
    func contents(of path: String) throws(DocumentError) -> [UInt8] {
        let tooLarge = DocumentError(line: 1, message: "larger than \(limits.fileBytes) bytes")
        if path != "-", let stamp = FileStamp(path: path), stamp.size > Int64(limits.fileBytes) { throw tooLarge }
        let contents: [UInt8]
        do throws(FileReading.Failure) {
            // A pipe, such as a shell makes for `<(kubectl get …)`, is read like a file.
            contents = try FileReading.read(path, limit: limits.fileBytes + 1)
        } catch {
            let reason = error.code == EACCES ? ": Permission denied" : ""
            throw DocumentError(line: 1, message: "cannot be read\(reason)")
        }
        guard contents.count <= limits.fileBytes else { throw tooLarge }
        return contents
    }
}
