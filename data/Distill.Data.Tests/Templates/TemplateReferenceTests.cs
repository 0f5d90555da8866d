using System.Text.Json;
using Distill.Data.Tests.Tokenization;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Data.Tests.Templates;

/// <summary>Renderings of transformers and Jinja2, character by character.</summary>
public sealed class TemplateReferenceTests
{
    // Left out on purpose; the renderer must say so rather than print something else.
    private static readonly HashSet<string> s_leftOut =
    [
        "filter urlencode", "filter wordwrap striptags", "encode is bytes", "autoescape block",
    ];

    [Fact]
    public void Whole_templates_render_as_the_reference()
    {
        string folder = Path.GetDirectoryName(FixtureFolder.RequireFile("templates", "rendered.jsonl"))!;
        var templates = Directory.GetFiles(Path.Combine(folder, "templates"))
            .ToDictionary(p => Path.GetFileName(p), p => new ChatTemplate(File.ReadAllText(p), new FixedClock()));
        var wrong = new List<string>();
        int lines = 0;
        foreach (var line in ReferenceLines.Read(folder, "rendered.jsonl"))
        {
            lines++;
            string expected = Expected(line, "rendered");
            string actual = Outcome(() => templates[line.Text("template")].Render(Variables(line)), line);
            bool continues = line.GetProperty("kwargs").TryGetProperty("continue_final_message", out _);
            if (actual != expected && !(continues && actual.StartsWith(expected, StringComparison.Ordinal)))
                wrong.Add($"{line.Text("template")} {line.Text("name")}: expected <{expected}> but was <{actual}>");
        }
        lines.ShouldBeGreaterThan(0);
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Every_feature_renders_as_the_reference()
    {
        string folder = Path.GetDirectoryName(FixtureFolder.RequireFile("templates", "features.jsonl"))!;
        var variables = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "context.json"))).RootElement.EnumerateObject()
            .ToDictionary(p => p.Name, p => p.Value);
        var wrong = new List<string>();
        foreach (var line in ReferenceLines.Read(folder, "features.jsonl"))
        {
            // Plain Jinja leaves this variable undefined; transformers, and we, always define it.
            if (line.Text("feature") == "add_generation_prompt undefined") continue;
            string expected = s_leftOut.Contains(line.Text("feature")) ? "left out" : Expected(line, "expected");
            string actual = Outcome(() => new ChatTemplate(line.Text("template"), new FixedClock()).Render(variables), line);
            if (actual != expected) wrong.Add($"{line.Text("feature")}: {line.Text("template")}: expected <{expected}> but was <{actual}>");
        }
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Hostile_templates_are_refused_or_bounded()
    {
        string folder = Path.GetDirectoryName(FixtureFolder.RequireFile("templates", "hostile.jsonl"))!;
        var variables = new Dictionary<string, JsonElement>
        {
            ["messages"] = JsonSerializer.SerializeToElement(new[] { new { role = "user", content = "hi" } }),
            ["add_generation_prompt"] = JsonSerializer.SerializeToElement(false),
            ["bos_token"] = JsonSerializer.SerializeToElement("<s>"),
            ["eos_token"] = JsonSerializer.SerializeToElement("</s>"),
        };
        var wrong = new List<string>();
        foreach (var line in ReferenceLines.Read(folder, "hostile.jsonl"))
        {
            string? text = TextOrNull(line.Text("template"), variables);
            bool sameText = text is not null && line.Text("reference") == "renders" && text.Length == line.GetProperty("length").GetInt32()
                && text.StartsWith(line.Text("rendered"), StringComparison.Ordinal);
            if (text is not null && (line.Text("expected") == "refuse" || (line.Text("reference") != "not run" && !sameText)))
                wrong.Add($"{line.Text("why")}: rendered <{text[..Math.Min(100, text.Length)]}>");
        }
        wrong.ShouldBeEmpty();
    }

    private static string? TextOrNull(string template, Dictionary<string, JsonElement> variables)
    {
        try
        {
            return new ChatTemplate(template, new FixedClock()).Render(variables);
        }
        catch (Exception e) when (e is TemplateException or InvalidDataException)
        {
            return null;
        }
    }

    private static Dictionary<string, JsonElement> Variables(JsonElement line)
    {
        var variables = line.GetProperty("kwargs").EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        variables["messages"] = line.TryGetProperty("messages_seen", out var seen) ? seen : line.GetProperty("messages");
        variables["tools"] = line.GetProperty("tools");
        return variables;
    }

    private static string Expected(JsonElement line, string name)
    {
        if (!line.TryGetProperty("error_kind", out var kind)) return line.Text(name);
        return kind.GetString() == "raise_exception" ? "raised: " + line.Text("error") : "error";
    }

    private static string Outcome(Func<string> render, JsonElement line)
    {
        try
        {
            return render();
        }
        catch (Exception e) when (e is TemplateException or InvalidDataException)
        {
            var fault = (e as TemplateException ?? e.InnerException as TemplateException)?.Fault;
            bool refusal = line.TryGetProperty("error_kind", out _);
            return fault == TemplateFault.Raised
                ? "raised: " + e.Message
                : fault == TemplateFault.Unsupported && !refusal ? "left out" : refusal ? "error" : "error: " + e.Message;
        }
    }
}
