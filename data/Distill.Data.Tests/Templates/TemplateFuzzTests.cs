using System.Text.Json;
using Distill.Data.Tests.Tokenization;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Data.Tests.Templates;

/// <summary>A damaged template renders or is refused; nothing else happens, and it ends.</summary>
public sealed class TemplateFuzzTests
{
    private const int Batch = 1000;

    private static readonly string[] s_snippets =
    [
        "{%", "%}", "{{", "}}", "{#", "#}", "-", "+", "{% if true %}", "{% endif %}", "{% for x in messages %}", "{% endfor %}",
        "{% else %}", "{% set x = 1 %}", "{% raw %}", "{% break %}", "'", "\"", "\\", "(", ")", "[", "]",
        "|", ".", ",", "not ", " is ", " in ", "loop", "messages", "range(100000)", "**", "* 999999", "~", "[::-1]", "| tojson", "| join",
        "| map('upper')", ".split('a')", "none", "m(", "{% macro m(a) %}", "{% endmacro %}", "'\\ud800'",
    ];

    private static readonly string[] s_templates =
    [
        "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
        """
        {%- macro show(m, mark='|') -%}{{ mark ~ m.role ~ mark }}{{ m['content'] | trim | replace('a', 'b') }}{%- endmacro -%}
        {%- set ns = namespace(last=messages | length - 1, text='') -%}
        {%- for m in messages[::-1] if m.role != 'system' -%}
            {%- set ns.text = ns.text ~ show(m) ~ loop.index -%}
            {%- if loop.index0 > 2 %}{% break %}
            {%- elif m.content is string and '</think>' in m.content %}{{ m.content.split('</think>')[-1].lstrip('\n') }}{% endif -%}
        {%- endfor %}
        {{ ns.text[1:-1] if ns.text else 'none' }}{% filter upper %}{{ messages | map(attribute='role') | join(', ') }}{% endfilter %}
        {{ {'a': [1, 2.5, none], 'b': messages[0]} | tojson(indent=2) }}{{ '%s %05.1f' % ('x', 2) }}{# done #}
        """,
    ];

    private static readonly Dictionary<string, JsonElement> s_variables = new()
    {
        ["messages"] = JsonSerializer.SerializeToElement(new[]
        {
            new { role = "system", content = "Be kind." },
            new { role = "user", content = "a <|end|> é\uD83D\uDC4D" },
            new { role = "assistant", content = "<think>\n1\n</think>\n2" },
        }),
        ["add_generation_prompt"] = JsonSerializer.SerializeToElement(true),
    };

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 100)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_damaged_template_renders_or_is_refused(int seed)
    {
        var mutation = new Mutation(seed, s_snippets);
        int rendered = 0;
        for (int i = 0; i < Batch; i++)
        {
            string template = mutation.Apply(s_templates[i % s_templates.Length]);
            try
            {
                new ChatTemplate(template, new FixedClock()).Render(s_variables);
                rendered++;
            }
            catch (Exception e) when (e is TemplateException or InvalidDataException { InnerException: TemplateException })
            {
                e.Message.ShouldNotBeEmpty();
            }
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name}: {e.Message}\n{template}");
            }
        }
        rendered.ShouldBeInRange(1, Batch - 1);
    }

    [Fact]
    public void The_undamaged_templates_render()
    {
        foreach (string template in s_templates) new ChatTemplate(template, new FixedClock()).Render(s_variables).ShouldNotBeEmpty();
    }
}
