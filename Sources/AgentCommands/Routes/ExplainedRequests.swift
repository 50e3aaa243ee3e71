// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import ResourceFiles
import RouteAttribution

/// A file of requests, one JSON object a line, and their answers.
struct ExplainedRequests {
    /// The most octets of a file of requests or cases.
    static let fileLimit = 1 << 30

    /// How many objects are looked at for causes, over all requests.
    private static let diagnosisLimit = 2_000_000

    private let lines: [(number: Int, octets: [UInt8])]
    private let file: String
    private let isJSON: Bool
    private let objects: RouteObjects

    init(
        file: String,
        isJSON: Bool,
        _ configuration: Configuration,
        _ cluster: ClusterObjects? = nil
    ) throws(CommandFailure) {
        self.file = file
        self.isJSON = isJSON
        lines = try Self.lines(of: file)
        objects = try RouteObjects(configuration, namesServerPorts: true, for: .person, cluster: cluster)
        try objects.requireNamedFiles()
        try objects.requireWorkload()
        objects.warnOfNotices()
    }

    /// The lines of a file that hold anything, with their numbers from 1.
    static func lines(of file: String) throws(CommandFailure) -> [(number: Int, octets: [UInt8])] {
        let octets: [UInt8]
        do throws(FileContents.Failure) {
            octets = try FileContents.read(file == "-" ? "/dev/stdin" : file, limit: fileLimit)
        } catch {
            throw CommandFailure(.usage, "\(file): \(error.explained)")
        }
        return octets.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
            .filter { line in line.element.contains { ![0x20, 0x09, 0x0D].contains($0) } }
            .map { (number: $0.offset + 1, octets: Array($0.element)) }
    }

    /// Writes one answer for each request; lines that are no request are told and passed over.
    func write(to output: inout OctetOutput) throws(OctetOutput.Failure) -> [String] {
        var unanswered: [String] = []
        var scratch = RouteScratch()
        var json = JSONText()
        // Causes are looked for in all objects, so of very many requests only the first get them.
        var diagnoses = Self.diagnosisLimit / max(1, objects.resources.count)
        for line in lines {
            let request: DescribedRequest
            do throws(UnreadableLine) {
                request = try Self.request(line.octets)
            } catch {
                unanswered.append("\(file):\(line.number): \(error.reason)")
                continue
            }
            let explanation = objects.table.explain(request, scratch: &scratch, diagnoses: diagnoses > 0)
            diagnoses -= 1
            if isJSON {
                objects.table.write(explanation, id: request.id, caseID: nil, to: &json)
                json.endLine()
                try output.append(json.octets)
                json.removeAll()
                continue
            }
            let title = "request \(JSONText.text(of: request.id)), line \(line.number)"
            for text in ExplanationReport(explanation, request, of: objects.table, title: title).lines + [""] {
                try output.append(line: text)
            }
        }
        return unanswered
    }

    /// Reads a line of the file.
    static func request(_ octets: [UInt8]) throws(UnreadableLine) -> DescribedRequest {
        let value: JSONValue
        do throws(DocumentError) {
            value = try JSONDocument.parse(octets)
        } catch {
            throw UnreadableLine(reason: "is no JSON (\(error.message)); \(example)")
        }
        guard value["path"] != nil else { throw UnreadableLine(reason: "is no request with a path; \(example)") }
        do throws(ResourceError) {
            return try DescribedRequest(value)
        } catch {
            throw UnreadableLine(reason: "\(error.path) \(error.message)")
        }
    }

    /// What a line may look like.
    private static let example = #"a line is such as {"authority": "shop.example.com", "path": "/products/1"}"#
}

/// Why a line of a file could not be used.
struct UnreadableLine: Error {
    /// What is wrong with it.
    var reason: String
}

extension JSONText {
    /// A value as JSON text.
    static func text(of value: JSONValue) -> String {
        var json = JSONText()
        json.value(value)
        return String(decoding: json.octets, as: UTF8.self)
    }
}
