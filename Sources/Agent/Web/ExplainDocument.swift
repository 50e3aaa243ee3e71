// Wingmirror · Apache-2.0

import AdminServer
import JSONSyntax
import RouteAttribution

/// `/api/v1/explain`: which route takes a request, and why the earlier ones do not.
struct ExplainDocument {
    /// The request.
    let request: DescribedRequest

    /// Why a question describes no request.
    struct Refusal: Error {
        /// A sentence.
        let reason: String
    }

    /// Reads the request: the parameters of a GET, or the content of a POST, which is a line of `routes explain
    /// --requests`.
    init(_ question: AdminQuestion) throws(Refusal) {
        if let content = question.content {
            request = try Self.request(content)
        } else {
            request = try Self.request(question)
        }
    }

    private static func request(_ content: [UInt8]) throws(Refusal) -> DescribedRequest {
        let value: JSONValue
        do throws(DocumentError) {
            value = try JSONDocument.parse(content)
        } catch {
            throw Refusal(reason: error.message)
        }
        do throws(ResourceError) {
            return try DescribedRequest(value)
        } catch {
            throw Refusal(reason: "\(error.path) \(error.message)")
        }
    }

    private static func request(_ question: AdminQuestion) throws(Refusal) -> DescribedRequest {
        let scheme = question.value("scheme") ?? "http"
        let path = question.value("path") ?? "/"
        guard let url = question.value("url") ?? question.value("authority").map({ "\(scheme)://\($0)\(path)" }) else {
            throw Refusal(reason: "say which request: url, or authority and path; also method, header, port, sni")
        }
        var port: Int?
        if let text = question.value("port") {
            guard let number = Int(text), (1...65_535).contains(number) else {
                throw Refusal(reason: "port: expected a number from 1 to 65535, found \"\(text)\"")
            }
            port = number
        }
        do throws(RequestLineError) {
            let line = try RequestLine(
                [question.value("method") ?? "GET", url],
                headers: question.values("header")
            )
            return line.described(port: port, serverName: question.value("sni"))
        } catch {
            throw Refusal(reason: error.message)
        }
    }

    /// The answer, as `routes explain` gives it, with what a page needs to show it.
    func octets(_ catalogue: RouteCatalogue) -> [UInt8] {
        let workload = catalogue.tables.workload(for: request)
        let table = catalogue.tables.tables[workload]
        func entry(_ route: Int) -> RouteCatalogue.Entry {
            catalogue.entry(ofRoute: catalogue.tables.number(ofRoute: route, workload: workload))
        }
        var scratch = RouteScratch()
        let explanation = table.explain(request, scratch: &scratch)
        let route = Int(explanation.decision.route)
        return JSONText.document { json in
            json.key("id")
            json.value(request.id)
            json.rendered(table.recordMembers(of: explanation.decision))
            json.member("why", string: explanation.decision.refusal?.word)
            json.member("routeId", string: route >= 0 ? entry(route).id : nil)
            if catalogue.tables.tables.count > 1 {
                json.member("workload", string: table.environment.workload)
            }
            json.member("serverPort", integer: request.port)
            json.member("podPorts", list: explanation.podPorts) { $0.integer($1) }
            json.member("hostLookedUp", string: explanation.hostLookedUp)
            json.member("host", string: explanation.host)
            json.member("lostHosts", strings: explanation.lostHosts)
            json.member("path", string: explanation.path)
            json.member("considered", list: explanation.considered) { json, considered in
                let candidate = table.routes[considered.route]
                json.object { json in
                    json.member("id", string: entry(considered.route).id)
                    json.member("place", string: ExplanationReport.place(candidate))
                    json.member("rule", integer: candidate.identity.rule)
                    json.member("match", integer: candidate.identity.match)
                    json.member("conditions", string: candidate.matchText)
                    json.member("failed", string: considered.failure?.description)
                }
            }
            json.member("leftOut", strings: explanation.leftOut)
            json.member("causes", strings: explanation.causes)
            json.member("nearest", string: explanation.nearest?.text)
            json.member("doubt", string: explanation.doubt)
            let report = ExplanationReport(explanation, request, of: table, title: "")
            json.member("text", strings: report.lines.dropFirst())
        }
    }
}
