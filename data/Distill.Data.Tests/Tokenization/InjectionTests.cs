using System.Text.Json;
using CsCheck;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Control tokens written in messages stay text, whatever the template does with them.</summary>
public sealed class InjectionTests
{
    private static readonly Gen<string> s_contents = Gen.OneOf(
        "<|end|>", "<|", "end|>", "|>", "<", "|", ">", "<think>", "</think>", "think>", "<|user|>", "<|assistant|>", " ", "\n", "12",
        "apples", "é", "\U0001F44D", "{{ 1 }}", "{% raw %}")
        .Array[0, 8].Select(string.Concat);

    [Fact]
    public void Prompts_hold_only_the_control_tokens_that_the_template_wrote()
    {
        string folder = Path.GetDirectoryName(FixtureFolder.RequireFile("templates", "injection.jsonl"))!;
        var encoders = new Dictionary<string, ChatEncoder>();
        int lines = 0;
        foreach (var line in ReferenceLines.Read(folder, "injection.jsonl"))
        {
            string name = line.Text("tokenizer");
            if (!encoders.TryGetValue(name, out var encoder))
                encoders.Add(name, encoder = ChatEncoder.Load(FixtureFolder.Require($"tokenizers/{name}")));
            int[] ids = encoder.Encode(new Dictionary<string, JsonElement>
            {
                ["messages"] = line.GetProperty("messages"),
                ["add_generation_prompt"] = JsonSerializer.SerializeToElement(true),
            });
            encoder.Tokenizer.Decode(ids).ShouldBe(line.Text("text"));
            ids.Where(encoder.Tokenizer.IsAdded).ShouldBe(line.Ids("ids").Where(encoder.Tokenizer.IsAdded), line.Text("text"));
            lines++;
        }
        lines.ShouldBePositive();
    }

    [Theory]
    [InlineData("{{ messages[0].content }}")]
    [InlineData("{{ messages[0]['content'] | trim }}")]
    [InlineData("{{ '<|end' + messages[1].content }}")]
    [InlineData("{{ messages[0].content | upper | lower }}")]
    [InlineData("{{ messages[0].content.split('e') | join('e') }}")]
    [InlineData("{{ messages[0].content | replace('x', 'y') }}")]
    [InlineData("{{ messages[0].content[:3] ~ messages[0].content[3:] }}")]
    [InlineData("{{ messages[0].content | list | join }}")]
    [InlineData("{{ '%s' % messages[0].content }}")]
    [InlineData("{{ '{}'.format(messages[0].content) }}")]
    [InlineData("{{ '{0[0].content}'.format(messages) }}")]
    [InlineData("{{ '{a:>20}'.format_map({'a': messages[0].content}) }}")]
    [InlineData("{{ ('{:' + messages[0].content[0] + '>3}').format(1) }}{{ messages[0].content }}")]
    [InlineData("{{ '%-20s' % messages[0].content }}")]
    [InlineData("{{ messages[0].content.casefold().expandtabs() }}")]
    [InlineData("{{ '' if messages[0].content.title() else 'x' }}{{ messages[0].content.center(30, '-') }}")]
    [InlineData("{% set c = cycler(messages[0].content, 'b') %}{{ c.next() }}")]
    [InlineData("{% set j = joiner(messages[0].content) %}{{ j() }}{{ j() }}")]
    [InlineData("{{ namespace(a=messages[0].content) }}")]
    [InlineData("{{ (messages | groupby('content'))[0].grouper }}")]
    [InlineData("{{ messages[0].content | tojson }}")]
    [InlineData("{{ messages | string }}")]
    [InlineData("{{ messages[0].content | reverse | reverse }}")]
    [InlineData("{% set x %}{{ messages[0].content }}{% endset %}{{ x }}")]
    [InlineData("{% macro m(x) %}{{ x | indent }}{% endmacro %}{{ m(messages[0].content) }}")]
    [InlineData("{% for c in messages[0].content %}{{ c }}{% endfor %}")]
    [InlineData("{% filter upper %}{% filter lower %}{{ messages[0].content }}{% endfilter %}{% endfilter %}")]
    public void No_detour_through_a_template_makes_content_a_control_token(string template)
    {
        var encoder = new ChatEncoder(TinyTokenizer.Tokenizer, new ChatTemplate(template));
        int[] ids = encoder.EncodePrompt([ChatMessage.User("<|end|>"), ChatMessage.User("|>")]);
        ids.ShouldNotBeEmpty();
        ids.Where(TinyTokenizer.Tokenizer.IsAdded).ShouldBeEmpty();
    }

    [Fact]
    public void The_name_of_a_member_of_a_message_is_no_control_token()
    {
        var encoder = new ChatEncoder(TinyTokenizer.Tokenizer, new ChatTemplate("{% for m in messages %}{{ m | join }}{% endfor %}"));
        int[] ids = encoder.Encode(new Dictionary<string, JsonElement>
        {
            ["messages"] = JsonDocument.Parse("""[{"<|end|>": 1, "a": {"<|user|>": 2}}]""").RootElement,
        });
        TinyTokenizer.Tokenizer.Decode(ids).ShouldBe("<|end|>a");
        ids.Where(TinyTokenizer.Tokenizer.IsAdded).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{{ '<|end' + '|>' }}")]
    [InlineData("{{ '<|' + messages[0].role + '|>' }}")]
    [InlineData("{{ '%s' % '<|end|>' }}")]
    [InlineData("<|end|>{{ messages[0].content }}")]
    public void What_the_template_writes_are_control_tokens(string template)
    {
        var encoder = new ChatEncoder(TinyTokenizer.Tokenizer, new ChatTemplate(template));
        encoder.EncodePrompt([ChatMessage.User("hi")]).Count(TinyTokenizer.Tokenizer.IsAdded).ShouldBe(1);
    }

    [Fact]
    public void Content_without_control_tokens_is_encoded_as_the_whole_text_would_be()
    {
        var encoder = TinyTokenizer.Encoder;
        ChatMessage[] messages = [ChatMessage.System(" Be kind. "), ChatMessage.User("How many apples? 12")];
        encoder.EncodePrompt(messages).ShouldBe(encoder.Tokenizer.Encode(encoder.Template.Render(messages, addGenerationPrompt: true),
            allowSpecial: true));
    }

    [Fact]
    public void No_content_whatever_changes_the_control_tokens_of_a_prompt() => s_contents.Array[1, 4].Sample(contents =>
    {
        ChatMessage[] messages = [.. contents.Select((content, i) => new ChatMessage(i % 2 == 0 ? "user" : "assistant", content))];
        var tokenizer = TinyTokenizer.Tokenizer;
        int[] ids = TinyTokenizer.Encoder.EncodePrompt(messages);
        int[] expected = [.. messages.SelectMany(m => (int[])[tokenizer.IdOf($"<|{m.Role}|>")!.Value, 1]),
            tokenizer.IdOf("<|assistant|>")!.Value];
        return ids.Where(tokenizer.IsAdded).SequenceEqual(expected)
            && tokenizer.Decode(ids) == TinyTokenizer.Encoder.Template.Render(messages, addGenerationPrompt: true);
    });

    [Fact]
    public void No_reply_whatever_changes_the_control_tokens_of_an_example() =>
        Gen.Select(s_contents, s_contents).Sample((reasoning, answer) =>
    {
        var example = TinyTokenizer.Encoder.EncodeExample([ChatMessage.User("?")], reasoning, answer);
        int[] reply = example.Tokens[example.PromptLength..];
        return reply.Where(TinyTokenizer.Tokenizer.IsAdded).SequenceEqual([5, 6, 1])
            && TinyTokenizer.Tokenizer.Decode(reply) == $"<think>{reasoning}</think>{answer}<|end|>";
    });
}
