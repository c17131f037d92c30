# The page and its endpoints on any host: docker build -t mood-picks . && docker run -p 7860:7860 mood-picks
FROM python:3.12-slim-bookworm

# torch and scikit-learn need libgomp1, which slim images lack
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 user && install -d -o user /home/user/app
WORKDIR /home/user/app

# the CPU builds first: the default wheels of torch bring gigabytes of CUDA
COPY requirements.txt .
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.11.0 torchaudio==2.11.0 \
    && pip install --no-cache-dir -r requirements.txt

COPY --chown=user . .
USER user
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 HOME=/home/user PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler as P, build_opener as b; b(P({})).open('http://127.0.0.1:7860/config', timeout=4)"]
CMD ["python", "app.py"]
