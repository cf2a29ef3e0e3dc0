// An OPC UA server of another house with an oven in it, for edge-agent's tests; node_opcua.py is its other side.
//
// Started with one argument, options as JSON. It says `{"ready": PORT, ...}` on stdout and then takes one command per
// line, `{"do": NAME, ...}`, and answers each with one line: `{"ok": ...}` or `{"error": TEXT}`. It ends with stdin.
"use strict";
console.log = console.warn = console.info = (...words) => console.error(...words); // stdout is for answers

const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType, VariantArrayType } = require("node-opcua-variant");
const { standardUnits } = require("node-opcua-data-access");
const { nodesets } = require("node-opcua-nodesets");

const OVEN = "http://maker.example/oven";
const TYPES = path.join(__dirname, "oven.NodeSet2.xml");
const OBJECTS_FOLDER = "i=85";

// name -> [DataType, value, more]; the value of a Structure is made when its type is known
const NODES = {
    Temperature: ["Double", 181.5, { range: [0, 400], unit: standardUnits.degree_celsius }],
    Pressure: ["Float", 1.25, { range: [0, 10], unit: standardUnits.bar }],
    Cycles: ["Int64", 42],
    Total: ["UInt64", "18446744073709551615"],
    Small: ["SByte", -3],
    Byte: ["Byte", 200],
    Word: ["UInt16", 50000],
    Long: ["Int32", -70000],
    Door: ["Boolean", true],
    Recipe: ["String", "窑-7"],
    Text: ["LocalizedText", { text: "heating", locale: "en" }],
    Started: ["DateTime", "2026-02-19T12:00:00.123Z"],
    Bytes: ["ByteString", "AQL/"],
    Id: ["Guid", "72962b91-fa75-4ae6-8d28-b404dc7daf63"],
    Zones: ["Double", [1.5, 2.5, 3.5, 4.5]],
    Names: ["String", ["a", "b", "窑"]],
    Matrix: ["Int32", [1, 2, 3, 4, 5, 6], { dimensions: [2, 3] }],
    Mode: ["Int32", 1, { type: "Mode" }],
    Batch: ["ExtensionObject", {
        number: 7, recipe: "窑-7", limits: { low: 10.5, high: 99.5 }, steps: [1, 2, 3], mode: 2,
    }, { type: "Batch" }],
    Reading: ["Double", 1],
};

let options;
let server;
let nodes;
let services;
const refusals = [];
let ticking;
let changed = 0; // by `tick`
let released = 0; // continuation points given back

async function start() {
    services = services || {};
    const pki = options.pki;
    const manager = (folder, accept) =>
        new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: accept });
    server = new OPCUAServer({
        port: options.port || 0,
        host: "127.0.0.1",
        hostname: options.hostname || "127.0.0.1",
        serverInfo: { applicationUri: "urn:maker.example:oven", applicationName: { text: "oven", locale: "en" } },
        buildInfo: { productName: "oven", manufacturerName: "maker.example" },
        serverCertificateManager: manager(pki, options.accept),
        userCertificateManager: manager(path.join(pki, "users"), options.accept),
        nodeset_filename: [nodesets.standard, ...optionsBefore(options.shift), TYPES],
        securityPolicies: options.policies.map((name) => SecurityPolicy[name]),
        securityModes: options.modes.map((name) => MessageSecurityMode[name]),
        allowAnonymous: options.anonymous,
        userManager: { isValidUser: (name, password) => options.users[name] === password },
        serverCapabilities: capabilities(options.limits),
        maxConnectionsPerEndpoint: 200,
        disableDiscovery: false,
    });
    await server.initialize();
    addOven();
    server.on("request", (request) => {
        const name = request.schema.name.replace(/Request$/, "");
        services[name] = (services[name] || 0) + 1;
        if (request.releaseContinuationPoints) released += request.continuationPoints.length;
    });
    server.on("response", (response) => {
        const status = response.responseHeader.serviceResult;
        if (status.value !== 0) refusals.push(`${response.schema.name} ${status.name}`);
    });
    await server.start();
    options.port = server.endpoints[0].port;
    return { ready: options.port, namespace: namespace().index, hostname: options.hostname };
}

// Limits by the names of the specification, MaxNodesPerRead and so on; operation limits lie deeper.
function capabilities(limits) {
    const found = { maxSessions: 50, maxBrowseContinuationPoints: 10, operationLimits: {} };
    for (const [name, value] of Object.entries(limits)) {
        const key = name[0].toLowerCase() + name.slice(1);
        const operation = /^maxNodesPer|^maxMonitoredItemsPerCall$/.test(key);
        (operation ? found.operationLimits : found)[key] = value;
    }
    return found;
}

// Other namespaces that come first and so give the oven's namespace another number.
function optionsBefore(count) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "edge-agent-oven-"));
    process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
    return Array.from({ length: count }, (_, number) => {
        const uri = `http://maker.example/option-${number}`;
        const file = path.join(folder, `${number}.xml`);
        fs.writeFileSync(file,
            '<?xml version="1.0"?><UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">' +
            `<NamespaceUris><Uri>${uri}</Uri></NamespaceUris><Models><Model ModelUri="${uri}" Version="1.0.0" ` +
            'PublicationDate="2026-01-01T00:00:00Z"/></Models></UANodeSet>');
        return file;
    });
}

const namespace = () => server.engine.addressSpace.getNamespace(OVEN);

function addOven() {
    const space = server.engine.addressSpace;
    nodes = { Oven: namespace().addObject({ nodeId: "s=Oven", browseName: "Oven", organizedBy: space.rootFolder.objects }) };
    for (const name of Object.keys(NODES)) {
        if (!options.without.includes(name)) add(name);
    }
    if (options.many) addMany(options.many);
    if (options.deep) addDeep(options.deep);
}

// `ids: "numbers"` gives numeric node ids counted from options.first, as PLCs do that number anew at each download.
function idOf(name) {
    if (options.ids !== "numbers") return `s=Oven.${name}`;
    return `i=${options.first + Object.keys(NODES).indexOf(name)}`;
}

function add(name) {
    const [type, value, more = {}] = NODES[name];
    const array = Array.isArray(value);
    const dimensions = array ? more.dimensions || [value.length] : undefined;
    const declared = {
        nodeId: idOf(name),
        browseName: name,
        componentOf: nodes.Oven,
        dataType: more.type ? namespace().findDataType(more.type).nodeId : type,
        valueRank: array ? dimensions.length : -1,
        arrayDimensions: dimensions,
        accessLevel: "CurrentRead | CurrentWrite",
        userAccessLevel: "CurrentRead | CurrentWrite",
        minimumSamplingInterval: options.fastest,
    };
    const node = more.range
        ? namespace().addAnalogDataItem({
            ...declared, engineeringUnitsRange: { low: more.range[0], high: more.range[1] }, engineeringUnits: more.unit,
        })
        : namespace().addVariable(declared);
    nodes[name] = node;
    set(name, { value });
}

// A folder with many numbers, for load: Many/v0, Many/v1, ... From 100 on in folders of their own, since the library
// takes time that grows with the square of what hangs on one node.
function addMany(count) {
    const many = namespace().addFolder(server.engine.addressSpace.rootFolder.objects,
        { nodeId: "s=Many", browseName: "Many" });
    let folder = many;
    for (let number = 0; number < count; number++) {
        if (count > 100 && number % 100 === 0) {
            folder = namespace().addFolder(many, { nodeId: `s=Many${number}`, browseName: `Many${number}` });
        }
        const name = `v${number}`;
        nodes[name] = namespace().addVariable({
            nodeId: `s=${name}`, browseName: name, componentOf: folder, dataType: "Double",
            minimumSamplingInterval: options.fastest,
        });
        nodes[name].setValueFromSource({ dataType: DataType.Double, value: number });
    }
}

// A chain of folders with a loop at its end.
function addDeep(levels) {
    const first = namespace().addFolder(server.engine.addressSpace.rootFolder.objects,
        { nodeId: "s=Deep", browseName: "Deep" });
    let parent = first;
    for (let level = 1; level <= levels; level++) {
        parent = namespace().addFolder(parent, { nodeId: `s=Deep${level}`, browseName: `Deep${level}` });
    }
    parent.addReference({ referenceType: "Organizes", nodeId: first.nodeId });
}

// Sets what a node says: {value?, status?, source?: ISO time, or null for none}.
function set(name, { value, status, source }) {
    const node = nodes[name];
    if (!node) throw new Error(`there is no node ${name}`);
    const [type, first, more = {}] = NODES[name] || ["Double", 0];
    const wanted = value === undefined ? first : value;
    const kind = !Array.isArray(wanted) ? "Scalar" : more.dimensions ? "Matrix" : "Array";
    const variant = {
        dataType: DataType[type], arrayType: VariantArrayType[kind], value: made(type, wanted, more),
        dimensions: kind === "Matrix" ? more.dimensions : undefined,
    };
    const code = status ? StatusCodes[status] : StatusCodes.Good;
    if (!code) throw new Error(`there is no status ${status}`);
    node.setValueFromSource(variant, code, new Date(source || Date.now()));
    node.$dataValue.serverTimestamp = new Date(); // the library gives the source's time for both
    if (source === null) node.$dataValue.sourceTimestamp = null;
}

function made(type, value, more) {
    if (value === null) return null;
    if (Array.isArray(value)) {
        const kinds = { Double: Float64Array, Int32: Int32Array };
        return kinds[type] ? kinds[type].from(value) : value;
    }
    if (type === "DateTime") return new Date(value);
    if (type === "ByteString") return Buffer.from(value, "base64");
    if (type === "Int64" || type === "UInt64") return words(BigInt(value));
    if (type === "ExtensionObject") {
        return server.engine.addressSpace.constructExtensionObject(namespace().findDataType(more.type), value);
    }
    return value;
}

const words = (number) => [Number((BigInt.asUintN(64, number)) >> 32n), Number(number & 0xFFFFFFFFn)];

function remove(name) {
    server.engine.addressSpace.deleteNode(nodes[name]);
    delete nodes[name];
}

function state() {
    const sessions = Object.values(server.engine._sessions);
    const subscriptions = sessions.flatMap((session) => session.publishEngine.subscriptions || []);
    return {
        sessions: sessions.map((session) => session.sessionName),
        timeouts: sessions.map((session) => session.sessionTimeout),
        subscriptions: subscriptions.map((one) => ({
            id: one.id, publishing: one.publishingInterval, lifetime: one.lifeTimeCount,
            keep_alive: one.maxKeepAliveCount, priority: one.priority,
            items: Object.values(one.monitoredItems).map((item) => ({
                node: item.node ? item.node.nodeId.toString() : "", sampling: item.samplingInterval,
                queue: item.queueSize, discard_oldest: item.discardOldest, mode: item.monitoringMode,
                filter: item.filter ? item.filter.toJSON() : null,
            })),
        })),
        channels: server.getChannels().length,
        namespace: namespace().index,
        services,
        refusals,
    };
}

// Changes `count` of the many values every `every` ms, round and round; count 0 ends it.
function tick({ count, every = 1000 }) {
    clearInterval(ticking);
    if (!count) return;
    const names = Object.keys(nodes).filter((name) => /^v\d+$/.test(name));
    let next = 0;
    let value = 0;
    ticking = setInterval(() => {
        const now = new Date();
        value++;
        for (let done = 0; done < count; done++) {
            nodes[names[next]].setValueFromSource({ dataType: DataType.Double, value }, StatusCodes.Good, now);
            next = (next + 1) % names.length;
        }
        changed += count;
    }, every);
}

const commands = {
    set: ({ values }) => Object.entries(values).forEach(([name, said]) => set(name, said)),
    add: ({ name }) => add(name),
    remove: ({ name }) => remove(name),
    state,
    counts: () => {
        const all = Object.values(server.engine._sessions).flatMap((one) => one.publishEngine.subscriptions || []);
        return {
            sessions: Object.keys(server.engine._sessions).length,
            items: all.reduce((sum, one) => sum + one.monitoredItemCount, 0),
            changed,
            released,
        };
    },
    forget: () => { services = {}; },
    tick,
    async stop() {
        clearInterval(ticking);
        await server.shutdown(0);
    },
    start(more) {
        options = { ...options, ...more.options };
        return start();
    },
    // As a server does that loses its memory but not its connections.
    drop_sessions: () => Object.values(server.engine._sessions).forEach(
        (session) => server.engine.closeSession(session.authenticationToken, true, "Terminated")),
    drop_subscriptions: () => Object.values(server.engine._sessions).forEach(
        (session) => [...session.publishEngine.subscriptions].forEach((one) => session.deleteSubscription(one.id))),
    // Trusts the certificates that were rejected so far, as a person does who moves the files.
    trust() {
        const [from, to] = ["rejected", "trusted/certs"].map((name) => path.join(options.pki, name));
        const files = fs.readdirSync(from);
        files.forEach((file) => fs.renameSync(path.join(from, file), path.join(to, file)));
        return files;
    },
};

async function main() {
    options = {
        pki: null, port: 0, shift: 0, without: [], limits: {}, users: {}, anonymous: true, accept: true, many: 0,
        deep: 0, policies: ["None"], modes: ["None"], ids: "names", first: 50000, fastest: 10, ...JSON.parse(process.argv[2]),
    };
    const say = (answer) => fs.writeSync(1, JSON.stringify(answer) + "\n");
    say(await start());
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const command = JSON.parse(line);
        try {
            say({ ok: (await commands[command.do](command)) ?? null });
        } catch (error) {
            say({ error: String(error.stack || error) });
        }
    }
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
