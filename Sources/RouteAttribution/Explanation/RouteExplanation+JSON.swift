// Wingmirror · Apache-2.0

public import JSONSyntax

extension RouteTable {
    /// Writes the answer of `routes explain` for one request, without an end of line.
    public func write(
        _ explanation: RouteExplanation,
        id: JSONValue,
        caseID: JSONValue?,
        to json: inout JSONText
    ) {
        json.beginObject()
        if let caseID {
            json.key("case")
            json.value(caseID)
        }
        json.key("id")
        json.value(id)
        json.rendered(recordMembers(of: explanation.decision))
        if let refusal = explanation.decision.refusal {
            json.key("why")
            json.string(refusal.word)
        }
        json.key("considered")
        json.beginList()
        for entry in explanation.considered { write(entry, to: &json) }
        json.endList()
        if let passed = explanation.passedThrough { write(passed, to: &json) }
        if let doubt = explanation.doubt {
            json.key("doubt")
            json.string(doubt)
        }
        for (key, texts) in [("leftOut", explanation.leftOut), ("causes", explanation.causes)] where !texts.isEmpty {
            json.key(named: key)
            json.beginList()
            for text in texts { json.string(text) }
            json.endList()
        }
        if let nearest = explanation.nearest { write(nearest, to: &json) }
        json.endObject()
    }

    private func write(_ entry: RouteExplanation.Considered, to json: inout JSONText) {
        let identity = routes[entry.route].identity
        json.beginObject()
        json.key(named: RouteMembers.objectKey(identity.object))
        json.string(identity.object.reference)
        json.key("rule")
        json.integer(identity.rule)
        json.key("match")
        if let match = identity.match { json.integer(match) } else { json.null() }
        if let failure = entry.failure {
            json.key("failed")
            json.string(failure.description)
        }
        json.endObject()
    }

    private func write(_ passed: PassedThrough, to json: inout JSONText) {
        json.key("passedThrough")
        json.beginObject()
        json.key("gateway")
        json.string(passed.gateway)
        json.key(named: RouteMembers.objectKey(passed.object))
        json.string(passed.object.reference)
        json.key("rule")
        json.integer(passed.rule)
        json.key("destinations")
        json.beginList()
        for destination in passed.destinations { RouteMembers.write(destination, to: &json) }
        json.endList()
        json.endObject()
    }

    private func write(_ nearest: NearestRule, to json: inout JSONText) {
        json.key("nearest")
        json.beginObject()
        let identity = routes[nearest.route].identity
        json.key(named: RouteMembers.objectKey(identity.object))
        json.string(identity.object.reference)
        json.key("rule")
        json.integer(identity.rule)
        json.key("match")
        if let match = identity.match { json.integer(match) } else { json.null() }
        json.key("text")
        json.string(nearest.text)
        json.key("request")
        json.beginObject()
        for (key, value) in [
            ("method", nearest.request.methodText), ("scheme", nearest.request.isTLS ? "https" : "http"),
            ("path", nearest.request.targetText),
        ] {
            json.key(named: key)
            json.string(value)
        }
        json.key("authority")
        if let authority = nearest.request.authorityText { json.string(authority) } else { json.null() }
        json.key("headers")
        json.beginList()
        for line in nearest.request.lines {
            json.beginObject()
            json.key("name")
            json.string(line.name)
            json.key("value")
            json.string(line.value)
            json.endObject()
        }
        json.endList()
        json.key("port")
        json.integer(nearest.request.port)
        if let name = nearest.request.serverName {
            json.key("sni")
            json.string(name)
        }
        json.endObject()
        json.endObject()
    }
}
