using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Distill.Export.Package;

/// <summary>
/// How a folder is run: whoever has the card and any ONNX Runtime needs no other text. A test follows these words and nothing else.
/// </summary>
internal static partial class CardUsage
{
    private const int IdsPerLine = 16;

    public static void Onnx(StringBuilder card, CardFacts facts, GraphSignature graph)
    {
        var precision = facts.Precision!.Value;
        card.Append("## Running it\n\n");
        if (precision.BrowserName() is { } type)
            card.Append($"- transformers.js: `pipeline(\"text-generation\", folder)`, one prompt at a time; its `dtype` is `{type}`.\n");
        card.Append("- ONNX Runtime GenAI: point it at this folder.\n");
        if (!precision.RunsOnProcessor()) card.Append("- It runs on CUDA devices; a CPU cannot compute it.\n");
        if (facts.HasAdapters)
            card.Append("- `adapters/` has LoRA adapters, one of which can be active in a run: its README.md says how. Without one it is ")
                .Append("the base.\n");
        card.Append("- Plain ONNX Runtime: as below.\n\n| runtime | |\n|---|---|\n");
        foreach (var note in RuntimeNotes.Of(precision, facts.ReadsMask, facts.HasAdapters))
            card.Append($"| {note.Runtime} | {note.Found} |\n");
        card.Append("\nTried means: by the tests of the project that wrote this, on models of this kind.\n\n## By hand\n\n");
        card.Append($"`{graph.File}`, with its data beside it, needs ONNX Runtime {RuntimeNotes.LeastRuntime(precision)} or newer.\n\n");
        Ports(card, "input", graph.Inputs, InputMeaning);
        Ports(card, "output", graph.Outputs, OutputMeaning);
        Steps(card, facts, graph);
        Prompt(card, facts);
    }

    public static void Safetensors(StringBuilder card, CardFacts facts)
    {
        card.Append("## Running it\n\nTransformers: `AutoModelForCausalLM.from_pretrained(folder)`, with the tokenizer beside it.\n\n");
        card.Append($"A reply ends with any of the ids {Ids(facts.EndTokens)}.\n\n");
        Prompt(card, facts);
    }

    private static void Ports(StringBuilder card, string kind, IReadOnlyList<GraphPort> ports, Func<string, string> meaning)
    {
        card.Append($"| {kind} | type | shape | |\n|---|---|---|---|\n");
        foreach (var group in ports.GroupBy(port => Layer().Replace(port.Name, ".N.")))
        {
            var first = group.First();
            string layers = group.Key == first.Name ? "" : $", for N {Range([.. group.Select(port => LayerOf(port.Name)).Order()])}";
            card.Append($"| `{group.Key}`{layers} | {first.Type} | [{string.Join(", ", first.Shape)}] | {meaning(group.Key)} |\n");
        }

        card.Append('\n');
    }

    private static int LayerOf(string port) => int.Parse(Layer().Match(port).Value.Trim('.'), CultureInfo.InvariantCulture);

    private static string Range(int[] layers) => layers[^1] - layers[0] == layers.Length - 1
        ? $"from {Number(layers[0])} to {Number(layers[^1])}" : $"of {string.Join(", ", layers.Select(Number))}";

    private static string InputMeaning(string name) => name switch
    {
        "input_ids" => "the new tokens",
        "attention_mask" => "1 for every token of the past and for every new one",
        "position_ids" => "how many tokens stand before each new one",
        _ when name.StartsWith("past", StringComparison.Ordinal) => "what the step before gave; at first empty, of length 0",
        _ => "",
    };

    private static string OutputMeaning(string name) =>
        name == "logits" ? "of the token that follows each new one" : "the past of the next step";

    private static void Steps(StringBuilder card, CardFacts facts, GraphSignature graph)
    {
        string empty = graph.Inputs.FirstOrDefault(port => port.Name.StartsWith("past", StringComparison.Ordinal)) is { } past
            ? $"[1, {past.Shape[1]}, 0, {past.Shape[3]}]" : "length 0";
        card.Append($"1. Feed the ids of the prompt, a mask of as many ones, and for every past an empty tensor of shape {empty}.\n");
        card.Append("2. The next token is the one with the largest of the last row of `logits`, or is drawn from them.\n");
        card.Append($"3. End with any of the ids {Ids(facts.EndTokens)}, or after {facts.Architecture.MaxPositions} tokens in all.\n");
        card.Append("4. Else feed that token alone, every `present` as the past of its name, and a mask one longer; go on with 2.\n\n");
        card.Append("Several rows of different lengths: pad the prompts on ");
        card.Append(facts.ReadsMask ? "either side, with zeros in the mask.\n\n" : "the right, never on the left.\n\n");
    }

    private static void Prompt(StringBuilder card, CardFacts facts)
    {
        if (facts.Prompt is not { } prompt)
        {
            card.Append("No prompt is shown: its tokenizer or template could not be followed where this was written.\n\n");
            return;
        }

        card.Append("A question as the model reads it:\n\n").Append(ModelCard.Quoted(prompt.Text));
        card.Append("and its ids:\n\n").Append(ModelCard.Quoted(string.Join(
            ",\n", prompt.Ids.Chunk(IdsPerLine).Select(line => string.Join(", ", line.Select(Number))))));
    }

    private static string Ids(IReadOnlyList<int> ids) => string.Join(", ", ids.Select(id => $"`{Number(id)}`"));

    private static string Number(int id) => id.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\.\d+\.", RegexOptions.CultureInvariant)]
    private static partial Regex Layer();
}
