using System.Text.Json;
using Distill.Data.Tests.Tokenization;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Data.Tests.Templates;

/// <summary>Filters, methods, functions and tests, one by one, against what Jinja2's sandbox gives.</summary>
public sealed class TemplateValueTests
{
    [Fact]
    public void Values_are_those_of_the_sandbox()
    {
        string file = FixtureFolder.RequireFile("templates", "values.jsonl");
        var lines = File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var context = lines[0].GetProperty("context").EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        var wrong = new List<string>();
        foreach (var line in lines.Skip(1))
        {
            string expected = line.TryGetProperty("is", out var text) ? "= " + text.GetString() : line.Text("refused");
            string actual = Outcome(line.Text("template"), context);
            if (actual != expected && !(expected == "error" && !actual.StartsWith('=')))
                wrong.Add($"{line.Text("template")}: expected <{expected}> but was <{actual}>");
        }
        wrong.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{{ '{:10001}'.format(1) }}")]
    [InlineData("{{ '{:.10001f}'.format(1.5) }}")]
    [InlineData("{{ '%10001d' % 1 }}")]
    [InlineData("{{ '%*d' % (10001, 1) }}")]
    [InlineData("{{ '\t' * 3000 | replace('\t', ('\t' * 3000).expandtabs(30000)) }}")]
    [InlineData("{% set f = '{0}' * 9000 %}{% for i in range(9000) %}{{ f.format('x' * 900) | length }}{% endfor %}")]
    public void Formatting_is_bounded(string template) =>
        Should.Throw<TemplateException>(() => new ChatTemplate(template).Render(new Dictionary<string, JsonElement>()))
            .Fault.ShouldBe(TemplateFault.Limit);

    [Theory]
    [InlineData("{{ s.__class__.x }}")]
    [InlineData("{{ s['__class__'].x }}")]
    [InlineData("{{ (s | attr('__class__')).x }}")]
    [InlineData("{{ '{0.__class__.x}'.format(s) }}")]
    [InlineData("{{ '{0[__class__].x}'.format(s) }}")]
    [InlineData("{{ '{a.__class__.x}'.format_map({'a': s}) }}")]
    [InlineData("{{ ([s] | map(attribute='__class__') | first).x }}")]
    [InlineData("{{ (cycler(1)._x).x }}{{ joiner()._x.x }}")]
    [InlineData("{% macro m() %}{% endmacro %}{{ m._func.x }}")]
    [InlineData("{% set ns = namespace(_x=1) %}{{ ns._x.x }}")]
    [InlineData("{% set ns = namespace() %}{% set ns._x = 1 %}")]
    public void A_member_whose_name_begins_with_an_underscore_is_refused(string template)
    {
        var variables = new Dictionary<string, JsonElement> { ["s"] = JsonSerializer.SerializeToElement("a") };
        Should.Throw<TemplateException>(() => new ChatTemplate(template).Render(variables)).Fault.ShouldBe(TemplateFault.Security);
    }

    private static string Outcome(string template, Dictionary<string, JsonElement> context)
    {
        try
        {
            return "= " + new ChatTemplate(template, new FixedClock()).Render(context);
        }
        catch (Exception e) when (e is TemplateException or InvalidDataException { InnerException: TemplateException })
        {
            return e is TemplateException { Fault: TemplateFault.Security } ? "security" : "error";
        }
    }
}
