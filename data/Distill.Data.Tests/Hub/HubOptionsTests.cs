using Distill.Hub;

namespace Distill.Data.Tests.Hub;

public sealed class HubOptionsTests : IDisposable
{
    private readonly TemporaryFolder home = new();

    public void Dispose() => home.Dispose();

    [Fact]
    public void The_cache_lies_where_Python_has_it()
    {
        string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        From().CacheFolder.ShouldBe(Path.Combine(user, ".cache", "huggingface", "hub"));
        From(("XDG_CACHE_HOME", "/x")).CacheFolder.ShouldBe("/x/huggingface/hub");
        From(("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")).CacheFolder.ShouldBe("/h/hub");
        From(("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")).CacheFolder.ShouldBe("/c");
        From(("HF_HOME", "~/h")).CacheFolder.ShouldBe(Path.Combine(user, "h", "hub"));
    }

    [Fact]
    public void The_token_is_the_variables_before_the_files()
    {
        home.File("token", "hf_file\n");
        From(("HF_HOME", home.Path)).Token.ShouldBe("hf_file");
        From(("HF_HOME", home.Path), ("HF_TOKEN", " hf_variable ")).Token.ShouldBe("hf_variable");
        From(("HF_HOME", home.Path), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")).Token.ShouldBeNull();
        From(("HF_HOME", home.File("nowhere"))).Token.ShouldBeNull();
    }

    [Fact]
    public void The_token_is_never_written_out()
    {
        var options = From(("HF_TOKEN", "hf_0xC0FFEE"), ("HF_HOME", home.Path));
        $"{options}".ShouldNotContain("hf_0xC0FFEE");
        Should.Throw<HubException>(() => From(("HF_TOKEN", "hf_0xC0FFEE\nX-Other: 1"))).Message.ShouldNotContain("0xC0FFEE");
        Should.Throw<HubException>(() => From(("HF_ENDPOINT", "https://name:0xC0FFEE@example.com"))).Message.ShouldNotContain("0xC0FFEE");
    }

    [Fact]
    public void Offline_endpoint_and_links_follow_their_variables()
    {
        var options = From(("HF_HUB_OFFLINE", "yes"), ("HF_ENDPOINT", "https://hub.example.com/hf/"), ("HF_HUB_DISABLE_SYMLINKS", "1"));
        options.IsOffline.ShouldBeTrue();
        options.UsesLinks.ShouldBeFalse();
        options.Endpoint.ShouldBe(new Uri("https://hub.example.com/hf/"));
        From(("HF_HUB_OFFLINE", "0")).IsOffline.ShouldBeFalse();
    }

    [Fact]
    public void A_token_is_not_sent_in_the_clear()
    {
        var options = From(("HF_TOKEN", "hf_0xC0FFEE"), ("HF_ENDPOINT", "http://hub.example.com"));
        Should.Throw<HubException>(() => new HubClient(options)).Message.ShouldContain("in the clear");
    }

    private static HubOptions From(params (string Name, string Value)[] variables) =>
        HubOptions.FromEnvironment(name => variables.FirstOrDefault(pair => pair.Name == name).Value);
}
