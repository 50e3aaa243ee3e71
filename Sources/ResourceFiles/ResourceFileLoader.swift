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

    /// Reads files, and folders with all that lies below them, in the order of their names.
    ///
    /// In folders, files that end in `.yaml`, `.yml` or `.json` count; names that begin with a dot are passed over, which
    /// also hides the bookkeeping of a mounted ConfigMap. A file named by itself counts whatever its name.
    /// - Throws: every file that cannot be read or understood; then nothing is returned, so that a half-written folder
    ///   never stands for the whole.
    public func load(_ paths: [String]) throws(ResourceFileError) -> [JSONValue] {
        var objects: [JSONValue] = []
        var problems: [String] = []
        for path in paths {
            for file in files(at: path, &problems) {
                do throws(ResourceFileError) {
                    objects += try loadFile(file)
                } catch {
                    problems += error.problems
                }
            }
        }
        guard problems.isEmpty else { throw ResourceFileError(problems: problems) }
        return objects
    }

    /// Whether a path can be read once only: standard input, written `-`, or a pipe.
    public static func isReadOnce(_ path: String) -> Bool {
        path == "-" || FileStamp(path: path)?.isPipe == true
    }

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

    private func loadFile(_ path: String) throws(ResourceFileError) -> [JSONValue] {
        do throws(DocumentError) {
            return try parse(try contents(of: path), isJSON: path.hasSuffix(".json"))
        } catch {
            throw ResourceFileError(problems: ["\(path):\(error.line): \(error.message)"])
        }
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

    /// Reads the objects of one text.
    ///
    /// - Parameters:
    ///   - octets: the text.
    ///   - isJSON: whether it is JSON rather than YAML.
    /// - Returns: the documents in order; empty ones are passed over.
    /// - Throws: the first mistake, with its line.
    public func parse(_ octets: [UInt8], isJSON: Bool) throws(DocumentError) -> [JSONValue] {
        if isJSON {
            return try JSONDocument.parseStream(octets, limits: limits).map { value, line throws(DocumentError) in
                try requireObject(value, line: line)
            }
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw DocumentError(line: 1, message: "the text is not UTF-8")
        }
        return try YAMLDocuments.parse(text, limits: limits).map { document throws(DocumentError) in
            try requireObject(document.value, line: document.line)
        }
    }

    /// Refuses what cannot be a Kubernetes object of any kind: then the wrong file was named, and only here its name is
    /// known.
    private func requireObject(_ document: JSONValue, line: Int) throws(DocumentError) -> JSONValue {
        guard case .object = document else {
            throw DocumentError(line: line, message: "expected a Kubernetes object, found \(document.typeName)")
        }
        guard case .string = document["kind"] else {
            throw DocumentError(line: line, message: "expected a Kubernetes object, found an object without a kind")
        }
        return document
    }
}
