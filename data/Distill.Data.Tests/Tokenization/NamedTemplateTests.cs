using System.Text.Json;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>Models with several chat templates: <c>default</c> for most chats, <c>tool_use</c> for those with tools.</summary>
public sealed class NamedTemplateTests
{
    private const string Two = """[{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]""";

    [Theory]
    [InlineData("tokenizer_config.json", $$"""{"eos_token": "<|end|>", "chat_template": {{Two}}}""")]
    [InlineData("chat_template.json", $$"""{"chat_template": {{Two}}}""")]
    [InlineData("chat_template.json", """{"chat_template": {"default": "plain", "tool_use": "tools"}}""")]
    [InlineData("chat_template.json", Two)]
    public void A_chat_with_tools_takes_the_template_for_tools(string file, string content)
    {
        using var folder = Folder();
        folder.File(file, content);
        RequireBoth(ChatEncoder.Load(folder.Path));
    }

    [Fact]
    public void Additional_templates_are_files_named_after_what_they_are_for()
    {
        using var folder = Folder();
        folder.File("chat_template.jinja", "plain");
        folder.File("additional_chat_templates/tool_use.jinja", "tools");
        folder.File("additional_chat_templates/rag.jinja", "rag {% include 'x' %}");
        RequireBoth(ChatEncoder.Load(folder.Path));
    }

    [Fact]
    public void Files_win_over_the_configuration_as_a_whole()
    {
        using var folder = Folder();
        folder.File("tokenizer_config.json", $$"""{"chat_template": {{Two}}}""");
        folder.File("chat_template.jinja", "file");
        Render(ChatEncoder.Load(folder.Path), """[{"type": "function"}]""").ShouldBe("file");
    }

    [Fact]
    public void A_default_that_the_files_lack_comes_from_the_configuration()
    {
        using var folder = Folder();
        folder.File("tokenizer_config.json", """{"chat_template": "plain"}""");
        folder.File("additional_chat_templates/tool_use.jinja", "tools");
        RequireBoth(ChatEncoder.Load(folder.Path));
    }

    [Fact]
    public void Templates_without_a_default_are_none()
    {
        using var folder = Folder();
        folder.File("additional_chat_templates/tool_use.jinja", "tools");
        var encoder = ChatEncoder.Load(folder.Path);
        encoder.HasTemplate.ShouldBeFalse();
        Should.Throw<InvalidDataException>(() => Render(encoder, null)).Message.ShouldContain("'default'");
        Should.Throw<InvalidDataException>(() => ChatTemplate.Load(folder.Path)).Message.ShouldContain("'default'");
    }

    [Fact]
    public void A_template_for_tools_is_part_of_the_digest()
    {
        new ChatTemplate("a", "b", clock: null).Digest.ShouldNotBe(new ChatTemplate("a").Digest);
        new ChatTemplate("a", "b", clock: null).Digest.ShouldNotBe(new ChatTemplate("a", "c", clock: null).Digest);
    }

    [Theory]
    [InlineData("""{"chat_template": [{"name": "default", "template": "a"}, {"name": "default", "template": "b"}]}""", "twice")]
    [InlineData("""{"chat_template": [{"name": "default"}]}""", "'template' is missing")]
    [InlineData("""{"chat_template": 5}""", "must be a string")]
    public void A_list_that_cannot_be_read_is_refused_by_name(string content, string reason)
    {
        using var folder = Folder();
        folder.File("chat_template.json", content);
        Should.Throw<InvalidDataException>(() => ChatEncoder.Load(folder.Path)).Message.ShouldSatisfyAllConditions(
            m => m.ShouldContain("chat_template.json"), m => m.ShouldContain(reason));
    }

    private static void RequireBoth(ChatEncoder encoder)
    {
        Render(encoder, null).ShouldBe("plain");
        Render(encoder, "null").ShouldBe("plain");
        Render(encoder, """[{"type": "function"}]""").ShouldBe("tools");
        encoder.Tokenizer.Decode(encoder.EncodePrompt([ChatMessage.User("?")])).ShouldBe("plain");
    }

    private static string Render(ChatEncoder encoder, string? tools)
    {
        var variables = new Dictionary<string, JsonElement> { ["messages"] = JsonSerializer.SerializeToElement(Array.Empty<object>()) };
        if (tools is not null) variables["tools"] = JsonDocument.Parse(tools).RootElement;
        return encoder.Render(variables);
    }

    private static TemporaryFolder Folder()
    {
        var folder = TinyTokenizer.Folder();
        File.Delete(Path.Combine(folder.Path, "chat_template.jinja"));
        folder.File("tokenizer_config.json", """{"eos_token": "<|end|>"}""");
        return folder;
    }
}
